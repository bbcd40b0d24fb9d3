{#- Where a table lies: {query, place, repeated}, or none. -#}
{% macro find_input(table_name) -%}
    {%- set schema = env_var('CLV_INPUT_SCHEMA', '') -%}
    {%- if schema and not env_var('CLV_INPUT', '') -%}
        {%- if schema | lower in ['raw', 'staging', 'intermediate', 'learned', 'operations'] -%}
            {%- do exceptions.raise_compiler_error(
                'CLV_INPUT_SCHEMA is ' ~ schema ~ ', where the build writes its own'
                ~ ' tables. Move yours to a schema of another name.'
            ) -%}
        {%- endif -%}
        {%- set found = find_input_table(schema, table_name) -%}
    {%- else -%}
        {%- set found = find_input_file(
            env_var('CLV_INPUT', '') or 'seeds/demo', table_name
        ) -%}
    {%- endif -%}
    {%- do return(found) -%}
{%- endmacro %}
