{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch('sorted_list', 'customer_lifetime')(expression)) }}
{%- endmacro %}

{% macro default__sorted_list(expression) -%}
    string_agg({{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}

{% macro spark__sorted_list(expression) -%}
    listagg({{ expression }}, ', ') within group (order by {{ expression }})
{%- endmacro %}

{% macro snowflake__sorted_list(expression) -%}
    listagg({{ expression }}, ', ') within group (order by {{ expression }})
{%- endmacro %}

{% macro redshift__sorted_list(expression) -%}
    listagg({{ expression }}, ', ') within group (order by {{ expression }})
{%- endmacro %}
