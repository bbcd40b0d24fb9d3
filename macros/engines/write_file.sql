{% macro write_file(query, path, format) -%}
    {{ return(adapter.dispatch('write_file', 'customer_lifetime')(query, path, format)) }}
{%- endmacro %}

{% macro default__write_file(query, path, format) -%}
    {%- do exceptions.raise_compiler_error(
        'The engine ' ~ target.type ~ ' writes no file ' ~ path ~ '.'
    ) -%}
{%- endmacro %}

{#- whoever reads it, or kills the build, finds a whole file: a bucket sees to that itself -#}
{% macro duckdb__write_file(query, path, format) -%}
    {%- set written = path if '://' in path else path ~ '.new' -%}
    {%- do run_query(
        'copy (' ~ query ~ ') to ' ~ quoted_text(written) ~ ' (format ' ~ format
        ~ (', header' if format == 'csv' else '') ~ ')'
    ) -%}
    {%- if written != path -%}
        {%- do run_query(
            'select replace_file(' ~ quoted_text(written) ~ ', ' ~ quoted_text(path) ~ ')'
        ) -%}
    {%- endif -%}
{%- endmacro %}

{#- a folder of that name, with a file in it: of one task, so that the order holds -#}
{% macro spark__write_file(query, path, format) -%}
    {%- do run_query(
        'insert overwrite directory ' ~ quoted_text(path) ~ ' using ' ~ format
        ~ (" options (header 'true')" if format == 'csv' else '')
        ~ ' select /*+ coalesce(1) */ * from (' ~ query ~ ') as written'
    ) -%}
{%- endmacro %}
