{% macro forgotten_rows(table, query) -%}
    select
        '{{ table.name }}' as input_name,
        count(*) as delivered_row_count,
        coalesce(sum(case when {{ is_forgotten(table) }} then 1 else 0 end), 0)
            as forgotten_row_count,
        {% if table.name == 'orders' -%}
        (select count(*) from raw.forgotten_orders)
        {%- else -%}
        0
        {%- endif %} as stand_in_row_count
    from ({{ query }}) as delivered
{%- endmacro %}
