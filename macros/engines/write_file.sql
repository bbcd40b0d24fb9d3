{% macro write_file(query, path, format) -%}
    {{ return(adapter.dispatch('write_file', 'customer_lifetime')(query, path, format)) }}
{%- endmacro %}

{% macro default__write_file(query, path, format) -%}
    {%- do exceptions.raise_compiler_error(
        'The engine ' ~ target.type ~ ' writes no file ' ~ path ~ '.'
    ) -%}
{%- endmacro %}

{% macro duckdb__write_file(query, path, format) -%}
    {%- do run_query(
        'copy (' ~ query ~ ') to ' ~ quoted_text(path) ~ ' (format ' ~ format
        ~ (', header' if format == 'csv' else '') ~ ')'
    ) -%}
{%- endmacro %}

{#- a folder of that name, with a file in it: of one task, so that the order holds -#}
{% macro spark__write_file(query, path, format) -%}
    {%- do run_query(
        'insert overwrite directory ' ~ quoted_text(path) ~ ' using ' ~ format
        ~ (" options (header 'true')" if format == 'csv' else '')
        ~ ' select /*+ coalesce(1) */ * from (' ~ query ~ ') as written'
    ) -%}
{%- endmacro %}
