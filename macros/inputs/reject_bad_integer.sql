{% macro reject_bad_integer(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_integer(column) ~ ' is null',
        column, 'unparseable_number'
    ) }}
{%- endmacro %}
