-- How likely a customer in a stage at a month's start is in each stage at its end: the
-- last twelve complete months taken together, so that every season counts once.
with

months as (
    select
        calendar_month,
        from_stage,
        to_stage,
        customer_count
    from {{ ref('int_stage_months') }}
    where is_mature and from_stage != 'new'
),

latest as (
    select max(calendar_month) as calendar_month
    from months
),

summed as (
    select
        months.from_stage,
        months.to_stage,
        sum(months.customer_count) as pair_month_count
    from months
    cross join latest
    where
        {{ months_between('months.calendar_month', 'latest.calendar_month') }} < 12
    group by months.from_stage, months.to_stage
    having sum(months.customer_count) > 0
),

final as (
    select
        from_stage,
        to_stage,
        cast(pair_month_count as bigint) as pair_month_count,
        cast(sum(pair_month_count) over (partition by from_stage) as bigint)
            as customer_month_count,
        {{ ratio(
            'pair_month_count', 'sum(pair_month_count) over (partition by from_stage)'
        ) }} as transition_rate
    from summed
)

select * from final
