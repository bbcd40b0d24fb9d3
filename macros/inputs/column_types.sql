{% macro column_types(query) -%}
    {%- set types = {} -%}
    {%- for row in run_query('describe select * from ' ~ query) -%}
        {%- do types.update({row[0] | lower: row[1] | upper}) -%}
    {%- endfor -%}
    {%- do return(types) -%}
{%- endmacro %}
