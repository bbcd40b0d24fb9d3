{% macro quoted_text(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}
