{% macro rows_not_accepted(input_name, amount='null', content='row_content') -%}
    select
        '{{ input_name }}' as input_name,
        row_outcome,
        rejection_reasons,
        {{ readable_money(amount) }} as amount,
        {{ content }} as row_content
    from {{ ref('base_shop__' ~ input_name) }}
    where row_outcome != 'accepted'
{%- endmacro %}
