{% macro rows_of_last_build() -%}
    {%- set rows = {} -%}
    {%- set health = graph.nodes['model.customer_lifetime.fct_input_health'] -%}
    {%- if health.alias in tables_of(health.schema) | map(attribute='name') -%}
        {%- for row in run_query(
            'select input_name, raw_row_count from ' ~ health.relation_name
            ~ ' where raw_row_count > 0'
        ).rows -%}
            {%- do rows.update({row[0]: row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(rows) -%}
{%- endmacro %}
