{#- Labels for the names of traits. Documented in _value__rules__macros.yml. -#}
{% macro traits_in_words(text, words) -%}
    {%- set written = namespace(sql=text) -%}
    {%- for trait in numeric_traits() -%}
        {%- set written.sql = 'replace(' ~ written.sql ~ ", '[" ~ trait ~ "]', coalesce("
            ~ words ~ '.' ~ trait ~ "_label, '" ~ trait ~ "'))" -%}
    {%- endfor -%}
    {{ written.sql }}
{%- endmacro %}
