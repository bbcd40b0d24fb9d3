{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{#- 40 of the 64 bits: the sum over eight million rows still fits a bigint -#}
{% macro duckdb__row_hash(columns) -%}
    cast(hash({{ columns | join(', ') }}) >> 24 as bigint)
{%- endmacro %}
