{% macro make_raw_table(name, query) -%}
    {%- do run_query('drop table if exists raw.' ~ name) -%}
    {%- do run_query('create table raw.' ~ name ~ ' as ' ~ query) -%}
{%- endmacro %}
