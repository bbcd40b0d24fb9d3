{#- Opens every input of the contract as a view `raw.<table>`. Documented in
    _inputs__macros.yml. -#}
{% macro open_inputs() -%}
    {%- if execute -%}
        {%- set tables = graph.sources.values()
            | selectattr('source_name', 'equalto', 'shop') | list -%}
        {%- set statements = ['create schema if not exists raw'] -%}
        {%- for table in tables -%}
            {%- set found = find_input(table.name) -%}
            {%- do statements.append(
                'create or replace view raw.' ~ table.name
                ~ ' as ' ~ input_query(table, found)
            ) -%}
        {%- endfor -%}
        {{ statements | join(';\n') }}
    {%- endif -%}
{%- endmacro %}

{#- Where a table lies: {query, place, columns}, or none. -#}
{% macro find_input(table_name) -%}
    {%- set schema = env_var('CLV_INPUT_SCHEMA', '') -%}
    {%- if schema and not env_var('CLV_INPUT', '') -%}
        {%- set found = find_input_table(schema, table_name) -%}
    {%- else -%}
        {%- set found = find_input_file(
            env_var('CLV_INPUT', '') or 'seeds/demo', table_name
        ) -%}
    {%- endif -%}
    {%- do return(found) -%}
{%- endmacro %}

{% macro find_input_table(schema, table_name) -%}
    {#- adapter.get_relation would open a transaction that nobody commits -#}
    {%- set found = run_query(
        'select table_schema, table_name from information_schema.tables'
        ~ ' where table_catalog = current_database()'
        ~ ' and lower(table_schema) = ' ~ quoted_text(schema | lower)
        ~ ' and lower(table_name) = ' ~ quoted_text(table_name)
    ) -%}
    {%- if found | length == 0 -%}
        {%- do return(none) -%}
    {%- endif -%}
    {%- do return({
        'query': adapter.quote(found[0][0]) ~ '.' ~ adapter.quote(found[0][1]),
        'place': 'table ' ~ schema ~ '.' ~ table_name,
    }) -%}
{%- endmacro %}

{% macro find_input_file(folder, table_name) -%}
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
    {%- set path = quoted_text(found[0]) -%}
    {%- if found[0].endswith('.parquet') -%}
        {%- set query = 'read_parquet(' ~ path ~ ', union_by_name = true)' -%}
    {%- else -%}
        {%- set query = 'read_csv(' ~ path ~ ', header = true, all_varchar = true)' -%}
    {%- endif -%}
    {%- do return({'query': query, 'place': 'file ' ~ found[0]}) -%}
{%- endmacro %}

{#- The query that presents a table in the columns of its contract. -#}
{% macro input_query(table, found) -%}
    {%- if found is none -%}
        {%- if table.config.meta.required -%}
            {%- do exceptions.raise_compiler_error(missing_input_message(table.name)) -%}
        {%- endif -%}
        {%- set types = {} -%}
    {%- else -%}
        {%- set types = column_types(found.query) -%}
    {%- endif -%}
    {%- set mapping = var('input_columns').get(table.name, {}) -%}
    {%- set unknown = mapping.keys() | reject('in', table.columns.keys()) | list -%}
    {%- if unknown -%}
        {%- do exceptions.raise_compiler_error(
            'The var input_columns maps ' ~ table.name ~ ' columns that the contract'
            ~ ' does not have: ' ~ unknown | join(', ') ~ '. It has: '
            ~ table.columns.keys() | join(', ') ~ '.'
        ) -%}
    {%- endif -%}
    {%- set selected = [] -%}
    {%- for column in table.columns.values() -%}
        {%- set given = mapping.get(column.name, column.name) -%}
        {%- set type = types.get(given | lower) -%}
        {%- if type is none and found is not none
            and (column.config.meta.required or column.name in mapping) -%}
            {%- do exceptions.raise_compiler_error(
                'Input ' ~ table.name ~ ', ' ~ found.place ~ ': the column ' ~ given
                ~ (' (mapped to ' ~ column.name ~ ')' if given != column.name else '')
                ~ ' is missing. Found instead: ' ~ types.keys() | join(', ')
                ~ '. Rename one, or name yours in the var input_columns: {'
                ~ table.name ~ ': {' ~ column.name ~ ': <your column>}}.'
            ) -%}
        {%- endif -%}
        {%- do selected.append(
            input_expression(given, type, column.data_type) ~ ' as ' ~ column.name
        ) -%}
    {%- endfor -%}
    select {{ selected | join(', ') }}
    {%- if found is none %} where false{% else %} from {{ found.query }}{% endif %}
{%- endmacro %}

{#- A value in its own type where that is of the contract's kind, else as text. -#}
{% macro input_expression(column, type, wanted) -%}
    {%- set kinds = {
        'timestamp': ('DATE', 'TIMESTAMP'),
        'date': ('DATE', 'TIMESTAMP'),
        'decimal(18, 4)': ('DECIMAL', 'DOUBLE', 'FLOAT', 'BIGINT', 'INTEGER',
            'SMALLINT', 'TINYINT', 'HUGEINT', 'UBIGINT', 'UINTEGER', 'USMALLINT',
            'UTINYINT'),
        'integer': ('BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'HUGEINT', 'UBIGINT',
            'UINTEGER', 'USMALLINT', 'UTINYINT'),
        'boolean': ('BOOLEAN',),
    } -%}
    {%- if type is none -%}
        cast(null as varchar)
    {%- elif type.split('(')[0] in kinds.get(wanted, ()) -%}
        {{ adapter.quote(column) }}
    {%- else -%}
        nullif(trim(cast({{ adapter.quote(column) }} as varchar)), '')
    {%- endif -%}
{%- endmacro %}

{% macro missing_input_message(table_name) -%}
    {%- set schema = env_var('CLV_INPUT_SCHEMA', '') -%}
    {%- set folder = env_var('CLV_INPUT', '') -%}
    {%- if schema and not folder -%}
        The required input {{ table_name }} is missing: there is no table
        {{- ' ' ~ schema ~ '.' ~ table_name }} in {{ target.database }} (CLV_INPUT_SCHEMA).
    {%- else -%}
        {%- set folder = (folder or 'seeds/demo').rstrip('/') -%}
        {%- set present = files_matching(folder ~ '/*') -%}
        The required input {{ table_name }} is missing: no {{ table_name }}.parquet,
        {{- ' ' ~ table_name }}.csv, {{ table_name }}.csv.gz or folder {{ table_name -}}
        /*.parquet in {{ folder }} (CLV_INPUT). Found there:
        {{- ' ' ~ (present | join(', ') if present else 'nothing') }}.
    {%- endif -%}
{%- endmacro %}

{% macro quoted_text(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro files_matching(pattern) -%}
    {%- do return(
        run_query('select file from glob(' ~ quoted_text(pattern) ~ ') order by file')
        .columns[0].values()
    ) -%}
{%- endmacro %}

{% macro column_types(query) -%}
    {%- set types = {} -%}
    {%- for row in run_query('describe select * from ' ~ query) -%}
        {%- do types.update({row[0] | lower: row[1]}) -%}
    {%- endfor -%}
    {%- do return(types) -%}
{%- endmacro %}
