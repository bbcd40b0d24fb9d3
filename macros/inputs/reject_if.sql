{% macro reject_if(condition, column, reason) -%}
    case when {{ condition }} then '{{ column }}: {{ reason }}' end
{%- endmacro %}
