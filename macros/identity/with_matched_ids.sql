{#- What is known of any id of a person counts as that of the smallest one. -#}
{% macro with_matched_ids(table, query) -%}
    select
        {%- for column in table.columns.keys() %}
        {%- if column == 'customer_id' %}
        coalesce(ids.canonical_customer_id, delivered.customer_id) as customer_id
        {%- else %}
        delivered.{{ column }}
        {%- endif %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from ({{ query }}) as delivered
    left join raw.customer_ids as ids on delivered.customer_id = ids.customer_id
{%- endmacro %}
