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
        {%- set given = mapping.get(column.name, column.name) | string -%}
        {%- set type = types.get(given | lower) -%}
        {%- if type is none and found is not none
            and (column.config.meta.required or column.name in mapping) -%}
            {%- do exceptions.raise_compiler_error(
                'Input ' ~ table.name ~ ', ' ~ found.place ~ ': the column ' ~ given
                ~ (' (mapped to ' ~ column.name ~ ')' if given != column.name else '')
                ~ ' is missing. Found instead: '
                ~ ('nothing, the file is empty'
                    if types.keys() | list == ['column0']
                    else types.keys() | join(', '))
                ~ '. Rename one, or name yours in the var input_columns: {'
                ~ table.name ~ ': {' ~ column.name ~ ': <your column>}}.'
            ) -%}
        {%- elif found is not none and given | lower in found.repeated -%}
            {%- do exceptions.raise_compiler_error(
                'Input ' ~ table.name ~ ', ' ~ found.place ~ ': the column ' ~ given
                ~ ' is there more than once. Give the others another name.'
            ) -%}
        {%- endif -%}
        {%- do selected.append(
            input_expression(given, type, column.data_type) ~ ' as ' ~ column.name
        ) -%}
    {%- endfor -%}
    select {{ selected | join(', ') }}
    {%- if found is none %} where false{% else %} from {{ found.query }}{% endif %}
{%- endmacro %}
