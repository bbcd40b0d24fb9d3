{% macro tables_of(schema) -%}
    {{ return(adapter.dispatch('tables_of', 'customer_lifetime')(schema)) }}
{%- endmacro %}

{#- adapter.get_relation would open a transaction that nobody commits -#}
{% macro default__tables_of(schema) -%}
    {%- set tables = [] -%}
    {%- for row in run_query(
        'select table_schema, table_name from information_schema.tables'
        ~ ' where table_catalog = current_database()'
        ~ ' and lower(table_schema) = ' ~ quoted_text(schema | lower)
    ) -%}
        {%- do tables.append({'schema': row[0], 'name': row[1]}) -%}
    {%- endfor -%}
    {%- do return(tables) -%}
{%- endmacro %}

{% macro spark__tables_of(schema) -%}
    {%- set tables = [] -%}
    {#- to ask an unknown schema for its tables is an error -#}
    {%- if run_query('show schemas like ' ~ quoted_text(schema | lower)) -%}
        {%- for row in run_query('show tables in ' ~ quoted_name(schema)) -%}
            {%- do tables.append({'schema': row[0], 'name': row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(tables) -%}
{%- endmacro %}
