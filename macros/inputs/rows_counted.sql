{% macro rows_counted(input_name, amount='null', date='null') -%}
    select
        '{{ input_name }}' as input_name,
        row_outcome,
        case when row_outcome = 'accepted' then cast({{ date }} as date) end
            as row_date,
        count(*) as row_count,
        {{ money('coalesce(sum(' ~ readable_money(amount) ~ '), 0)') }} as amount
    from {{ ref('base_shop__' ~ input_name) }}
    group by
        row_outcome,
        case when row_outcome = 'accepted' then cast({{ date }} as date) end
{%- endmacro %}
