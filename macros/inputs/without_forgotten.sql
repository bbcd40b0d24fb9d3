{#- Orders of the forgotten stand there by month, so that sums stay what they were. -#}
{% macro without_forgotten(table, query) -%}
    select {{ table.columns.keys() | join(', ') }}
    from ({{ query }}) as delivered
    where not ({{ is_forgotten(table) }})
    {%- if table.name == 'orders' %}
    union all
    select {{ table.columns.keys() | join(', ') }} from raw.forgotten_orders
    {%- endif %}
{%- endmacro %}
