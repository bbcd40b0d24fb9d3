{#- A condition on the rows of an input: they speak of somebody who was forgotten. -#}
{% macro is_forgotten(table) -%}
    {%- set conditions = [] -%}
    {%- for column in ['customer_id', 'order_id'] if column in table.columns -%}
        {%- set hashed = sha256(dbt.concat([
            '(select max(salt) from raw.forgotten_ids)', 'delivered.' ~ column
        ])) -%}
        {%- do conditions.append(
            'coalesce(' ~ hashed ~ ' in (select id_hash from raw.forgotten_ids'
            ~ " where id_kind = '" ~ column ~ "'), false)"
        ) -%}
    {%- endfor -%}
    {{ conditions | join(' or ') if conditions else 'false' }}
{%- endmacro %}
