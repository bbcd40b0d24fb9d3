{% macro null_unless(conditions, expression) -%}
    {%- if conditions -%}
        case when {{ conditions | join(' and ') }} then {{ expression }} end
    {%- else -%}
        {{ expression }}
    {%- endif -%}
{%- endmacro %}
