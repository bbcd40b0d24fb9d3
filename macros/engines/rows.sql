{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{#- 40 of the 64 bits: the sum over eight million rows still fits a bigint -#}
{% macro duckdb__row_hash(columns) -%}
    cast(hash({{ columns | join(', ') }}) >> 24 as bigint)
{%- endmacro %}

{% macro row_content(columns) -%}
    {{ return(adapter.dispatch('row_content', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_content(columns) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{% macro without_keys(content, keys) -%}
    {{ return(adapter.dispatch('without_keys', 'customer_lifetime')(content, keys)) }}
{%- endmacro %}

{% macro duckdb__without_keys(content, keys) -%}
    cast(json_merge_patch(
        {{ content }},
        '{ {%- for key in keys %}"{{ key }}": null{{ ', ' if not loop.last }}{% endfor -%} }'
    ) as varchar)
{%- endmacro %}

{% macro sorted_list(expression) -%}
    {{ return(adapter.dispatch('sorted_list', 'customer_lifetime')(expression)) }}
{%- endmacro %}

{% macro default__sorted_list(expression) -%}
    string_agg({{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}
