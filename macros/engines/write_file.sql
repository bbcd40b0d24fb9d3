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
