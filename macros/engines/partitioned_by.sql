{% macro partitioned_by(columns) -%}
    {{ return(adapter.dispatch('partitioned_by', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{% macro default__partitioned_by(columns) -%}
    {{ return(none) }}
{%- endmacro %}

{% macro spark__partitioned_by(columns) -%}
    {{ return(columns) }}
{%- endmacro %}
