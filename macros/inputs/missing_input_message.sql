{% macro missing_input_message(table_name) -%}
    {%- set schema = env_var('CLV_INPUT_SCHEMA', '') -%}
    {%- set folder = env_var('CLV_INPUT', '') -%}
    {%- if schema and not folder -%}
        The required input {{ table_name }} is missing: there is no table
        {{- ' ' ~ schema ~ '.' ~ table_name }} in {{ target.database or target.name }} (CLV_INPUT_SCHEMA).
    {%- else -%}
        {%- set folder = (folder or 'seeds/demo').rstrip('/') -%}
        {%- set present = files_matching(folder ~ '/*') -%}
        The required input {{ table_name }} is missing: no {{ table_name }}.parquet,
        {{- ' ' ~ table_name }}.csv, {{ table_name }}.csv.gz or folder {{ table_name -}}
        /*.parquet in {{ folder }} (CLV_INPUT). Found there:
        {{- ' ' ~ (present | join(', ') if present else 'nothing; is the path right?') }}.
    {%- endif -%}
{%- endmacro %}
