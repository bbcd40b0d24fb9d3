{% macro rows_counted(input_name, amount='null', date='null') -%}
    select
        '{{ input_name }}' as input_name,
        row_outcome,
        count(*) as row_count,
        {{ money('coalesce(sum(' ~ readable_money(amount) ~ '), 0)') }} as amount,
        min(case when row_outcome = 'accepted' then cast({{ date }} as date) end)
            as first_date,
        max(case when row_outcome = 'accepted' then cast({{ date }} as date) end)
            as last_date
    from {{ ref('base_shop__' ~ input_name) }}
    group by row_outcome
{%- endmacro %}
