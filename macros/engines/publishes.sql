{#- Readers of other engines see whole tables, and lock nobody out. -#}
{% macro publishes() -%}
    {{ return(adapter.dispatch('publishes', 'customer_lifetime')()) }}
{%- endmacro %}

{% macro default__publishes() -%}
    {{ return(false) }}
{%- endmacro %}

{% macro duckdb__publishes() -%}
    {{ return(target.path != ':memory:' and env_var('CLV_PUBLISHED', 'by default') != '') }}
{%- endmacro %}
