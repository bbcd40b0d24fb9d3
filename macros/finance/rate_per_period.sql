{% macro rate_per_period(annual_rate, period='month') -%}
    {{ return(adapter.dispatch('rate_per_period', 'customer_lifetime')(
        annual_rate, period
    )) }}
{%- endmacro %}

{% macro default__rate_per_period(annual_rate, period) -%}
    {%- set rate = checked_rate(annual_rate, 'annual', period) -%}
    {{ null_unless(rate.guards, rate.sql) }}
{%- endmacro %}
