{% macro month_start(date) -%}
    {{ return(adapter.dispatch('month_start', 'customer_lifetime')(date)) }}
{%- endmacro %}

{% macro default__month_start(date) -%}
    cast(date_trunc('month', {{ date }}) as date)
{%- endmacro %}

{% macro bigquery__month_start(date) -%}
    date_trunc(cast({{ date }} as date), month)
{%- endmacro %}
