{#- adapter.quote puts quotes around a name, but leaves those within it as they are. -#}
{% macro quoted_name(name) -%}
    {%- set mark = adapter.quote('')[:1] -%}
    {{ adapter.quote(name | string | replace(mark, mark ~ mark)) }}
{%- endmacro %}
