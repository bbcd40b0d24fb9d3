{% macro without_keys(content, keys) -%}
    {{ return(adapter.dispatch('without_keys', 'customer_lifetime')(content, keys)) }}
{%- endmacro %}

{% macro duckdb__without_keys(content, keys) -%}
    cast(json_merge_patch(
        {{ content }},
        '{ {%- for key in keys %}"{{ key }}": null{{ ', ' if not loop.last }}{% endfor -%} }'
    ) as varchar)
{%- endmacro %}
