{% macro reject_missing(column) -%}
    {{ reject_if(column ~ ' is null', column, 'missing') }}
{%- endmacro %}
