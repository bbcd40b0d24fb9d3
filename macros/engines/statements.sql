{#- Nothing of dbt runs several statements on every engine: DuckDB takes them as one
    text, others one at a time. -#}
{% macro statements(texts) -%}
    {{ return(adapter.dispatch('statements', 'customer_lifetime')(texts)) }}
{%- endmacro %}

{% macro default__statements(texts) -%}
    {%- for text in texts -%}
        {%- do run_query(text) -%}
    {%- endfor -%}
{%- endmacro %}

{% macro duckdb__statements(texts) -%}
    {{ return(texts | join(';\n')) }}
{%- endmacro %}
