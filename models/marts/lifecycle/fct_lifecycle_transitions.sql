-- Of the customers in a stage at the start of a month, how many were in which at its
-- end: the month's transition matrix, without the pairs that nobody went. Who became
-- known within the month comes from 'new', of whom there are as many as come. Complete
-- months only.
with

moves as (
    select
        calendar_month,
        from_stage,
        to_stage,
        customer_count
    from {{ ref('int_stage_months') }}
    where is_mature and customer_count > 0
),

final as (
    select
        calendar_month,
        from_stage,
        to_stage,
        customer_count,
        cast(
            sum(customer_count) over (partition by calendar_month, from_stage)
            as bigint
        ) as from_stage_count,
        {{ ratio(
            'customer_count',
            'sum(customer_count) over (partition by calendar_month, from_stage)'
        ) }} as transition_rate
    from moves
)

select * from final
