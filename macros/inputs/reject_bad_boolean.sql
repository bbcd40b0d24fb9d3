{% macro reject_bad_boolean(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_boolean(column) ~ ' is null',
        column, 'unparseable_boolean'
    ) }}
{%- endmacro %}
