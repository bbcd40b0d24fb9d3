{% macro reject_bad_date(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_timestamp(column) ~ ' is null',
        column, 'unparseable_date'
    ) }}
{%- endmacro %}
