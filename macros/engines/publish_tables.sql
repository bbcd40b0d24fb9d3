{% macro publish_tables(request) -%}
    {{ return(adapter.dispatch('publish_tables', 'customer_lifetime')(request)) }}
{%- endmacro %}

{% macro default__publish_tables(request) -%}
    {%- do exceptions.raise_compiler_error(
        'The engine ' ~ target.type ~ ' publishes no file.'
    ) -%}
{%- endmacro %}

{#- engines/duckdb/publishing.py -#}
{% macro duckdb__publish_tables(request) -%}
    {%- set answer = run_query(
        'select publish_tables(' ~ quoted_text(tojson(request)) ~ ')'
    ).rows[0][0] -%}
    {{ return(fromjson(answer)) }}
{%- endmacro %}
