{% macro open_inputs() -%}
    {%- if execute and flags.INTROSPECT -%}
        {%- set tables = graph.sources.values()
            | selectattr('source_name', 'equalto', 'shop') | list -%}
        {%- set strangers = var('input_columns').keys()
            | reject('in', tables | map(attribute='name') | list) | list -%}
        {%- if strangers -%}
            {%- do exceptions.raise_compiler_error(
                'The var input_columns names inputs that the contract does not have: '
                ~ strangers | join(', ') ~ '. It has: '
                ~ tables | map(attribute='name') | join(', ') ~ '.'
            ) -%}
        {%- endif -%}
        {%- set commands = ['create schema if not exists raw'] -%}
        {%- for table in tables -%}
            {%- set found = find_input(table.name) -%}
            {%- do commands.append(
                'create or replace view raw.' ~ table.name
                ~ ' as ' ~ input_query(table, found)
            ) -%}
        {%- endfor -%}
        {{ statements(commands) }}
    {%- endif -%}
{%- endmacro %}
