{% macro open_inputs() -%}
    {%- if execute and flags.INTROSPECT -%}
        {%- set tables = graph.sources.values()
            | selectattr('source_name', 'equalto', 'shop') | list -%}
        {%- set mappings = var('input_columns') -%}
        {%- if mappings is not mapping or mappings.values() | reject('mapping') | list -%}
            {%- do exceptions.raise_compiler_error(
                'The var input_columns must give each input the names of its columns, such'
                ~ ' as {orders: {order_id: InvoiceNo}}, not ' ~ mappings ~ '.'
            ) -%}
        {%- endif -%}
        {%- set strangers = mappings.keys()
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
