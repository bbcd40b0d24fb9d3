{% macro numbers(count) -%}
    {{ return(adapter.dispatch('numbers', 'customer_lifetime')(count)) }}
{%- endmacro %}

{% macro default__numbers(count) -%}
    (select generate_series as n from generate_series(0, {{ count }} - 1))
{%- endmacro %}

{% macro duckdb__numbers(count) -%}
    (select cast(range as integer) as n from range({{ count }}))
{%- endmacro %}
