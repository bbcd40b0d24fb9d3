{% macro find_input_file(folder, table_name) -%}
    {{ return(adapter.dispatch('find_input_file', 'customer_lifetime')(
        folder, table_name
    )) }}
{%- endmacro %}

{% macro default__find_input_file(folder, table_name) -%}
    {%- do exceptions.raise_compiler_error(
        'Only DuckDB reads inputs from files; the target ' ~ target.name ~ ' was to read '
        ~ table_name ~ ' from ' ~ folder ~ '. Load the inputs as tables into a schema of'
        ~ ' their own, set CLV_INPUT_SCHEMA to its name, and leave CLV_INPUT unset.'
    ) -%}
{%- endmacro %}

{% macro duckdb__find_input_file(folder, table_name) -%}
    {%- set stem = folder.rstrip('/') ~ '/' ~ table_name -%}
    {%- set found = [] -%}
    {%- for pattern in [
        stem ~ '.parquet', stem ~ '.csv', stem ~ '.csv.gz', stem ~ '/**/*.parquet'
    ] -%}
        {%- if files_matching(pattern) | length > 0 -%}
            {%- do found.append(pattern) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if found | length > 1 -%}
        {%- do exceptions.raise_compiler_error(
            'Input ' ~ table_name ~ ' was found more than once: '
            ~ found | join(', ') ~ '. Keep one of them.'
        ) -%}
    {%- elif found | length == 0 -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- set repeated = [] -%}
    {%- for file, report in run_query(
        'select file, input_file_report(file) from glob(' ~ quoted_text(found[0])
        ~ ') order by file'
    ) -%}
        {%- set report = fromjson(report) -%}
        {%- if report.fault -%}
            {%- do exceptions.raise_compiler_error(
                'Input ' ~ table_name ~ ', file ' ~ file ~ ': ' ~ report.fault ~ '.'
            ) -%}
        {%- endif -%}
        {%- do repeated.extend(report.repeated) -%}
    {%- endfor -%}
    {%- set path = quoted_text(found[0]) -%}
    {%- if found[0].endswith('.parquet') -%}
        {%- set query = 'read_parquet(' ~ path ~ ', union_by_name = true)' -%}
    {%- else -%}
        {#- Nothing is a comment, and a line that is too short or too long is a row to
            judge, not the end of the build. Quoted line breaks rule out reading such
            files in parallel. A row may be as long as in engines/duckdb/input_files.py;
            the buffer is what DuckDB takes for shorter ones. -#}
        {%- set query = 'read_csv(' ~ path ~ ", header = true, all_varchar = true,"
            ~ " comment = '', quote = '\"', escape = '\"', null_padding = true,"
            ~ " strict_mode = false, parallel = false,"
            ~ " max_line_size = 16777216, buffer_size = 33554432)" -%}
    {%- endif -%}
    {%- do return({
        'query': query, 'place': 'file ' ~ found[0], 'repeated': repeated,
    }) -%}
{%- endmacro %}
