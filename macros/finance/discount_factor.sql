{% macro discount_factor(
    rate, period_number, timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('discount_factor', 'customer_lifetime')(
        rate, period_number, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__discount_factor(rate, period_number, timing, rate_basis, period) -%}
    {%- set rate = checked_rate(rate, rate_basis, period) -%}
    {%- set s = periods_before_end(timing) -%}
    {%- set t = checked_number(
        'period_number', period_number, s, none,
        "Periods count from 1; 0 is today, with timing 'end' only."
    ) -%}
    {{ null_unless(rate.guards, growth_over(
        rate, '(' ~ s ~ ' - ' ~ t.sql ~ ')' if s else '-' ~ t.sql
    )) }}
{%- endmacro %}
