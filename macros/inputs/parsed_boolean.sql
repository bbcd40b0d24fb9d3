{% macro parsed_boolean(column) -%}
    {{ try_cast(column, 'boolean') }}
{%- endmacro %}
