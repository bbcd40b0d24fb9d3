{% macro months_between(earlier, later) -%}
    {{ return(adapter.dispatch('months_between', 'customer_lifetime')(earlier, later)) }}
{%- endmacro %}

{% macro default__months_between(earlier, later) -%}
    {{ dbt.datediff(earlier, later, 'month') }}
{%- endmacro %}

{% macro duckdb__months_between(earlier, later) -%}
    date_diff('month', {{ earlier }}, {{ later }})
{%- endmacro %}
