{% macro inlined() -%}
    {{ return(adapter.dispatch('inlined', 'customer_lifetime')()) }}
{%- endmacro %}

{% macro default__inlined() -%}
{%- endmacro %}

{% macro duckdb__inlined() -%}
    not materialized
{%- endmacro %}

{% macro postgres__inlined() -%}
    not materialized
{%- endmacro %}
