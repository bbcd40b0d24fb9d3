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
