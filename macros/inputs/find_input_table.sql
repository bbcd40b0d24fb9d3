{% macro find_input_table(schema, table_name) -%}
    {%- for table in tables_of(schema) if table.name | lower == table_name -%}
        {%- do return({
            'query': adapter.quote(table.schema) ~ '.' ~ adapter.quote(table.name),
            'place': 'table ' ~ schema ~ '.' ~ table_name,
        }) -%}
    {%- endfor -%}
    {%- do return(none) -%}
{%- endmacro %}
