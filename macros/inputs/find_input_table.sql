{% macro find_input_table(schema, table_name) -%}
    {%- for table in tables_of(schema) if table.name | lower == table_name -%}
        {%- do return({
            'query': quoted_name(table.schema) ~ '.' ~ quoted_name(table.name),
            'place': 'table ' ~ schema ~ '.' ~ table_name,
            'repeated': [],
        }) -%}
    {%- endfor -%}
    {%- do return(none) -%}
{%- endmacro %}
