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
        {#- scripts/forget.py writes it: nobody was forgotten where it is missing -#}
        {%- set is_forgetful
            = 'forgotten_ids' in tables_of('raw') | map(attribute='name') -%}
        {%- set counts = [
            "select '' as input_name, 0 as delivered_row_count,"
            ~ ' 0 as forgotten_row_count, 0 as stand_in_row_count where false'
        ] -%}
        {%- set queries = {} -%}
        {%- for table in tables -%}
            {%- set query = input_query(table, find_input(table.name)) -%}
            {%- if is_forgetful -%}
                {%- do counts.append(forgotten_rows(table, query)) -%}
                {%- set query = without_forgotten(table, query) -%}
            {%- endif -%}
            {%- do queries.update({table.name: query}) -%}
        {%- endfor -%}
        {%- set is_matching = match_customers('(' ~ queries.customers ~ ')') -%}
        {%- for table in tables -%}
            {%- set query = queries[table.name] -%}
            {%- if is_matching and 'customer_id' in table.columns -%}
                {%- set query = with_matched_ids(table, query) -%}
            {%- endif -%}
            {%- do commands.append(
                'create or replace view raw.' ~ table.name ~ ' as ' ~ query
            ) -%}
        {%- endfor -%}
        {%- do commands.append(
            'create or replace view raw.forgotten_rows as '
            ~ counts | join(' union all ')
        ) -%}
        {{ statements(commands) }}
    {%- endif -%}
{%- endmacro %}
