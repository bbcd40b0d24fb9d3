{#- A ratio as text, for sentences. Documented in _statistics__survival__macros.yml. -#}
{% macro ratio_words(number) -%}
    cast(
        cast(least(9999, {{ number }}) as decimal(18, 2)) as {{ dbt.type_string() }}
    )
{%- endmacro %}
