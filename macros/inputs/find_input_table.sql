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
