{% macro row_content(columns) -%}
    {{ return(adapter.dispatch('row_content', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_content(columns) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', cast({{ column }} as varchar){{ ',' if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}
