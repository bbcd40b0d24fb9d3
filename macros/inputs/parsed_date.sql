{% macro parsed_date(column) -%}
    cast({{ parsed_timestamp(column) }} as date)
{%- endmacro %}
