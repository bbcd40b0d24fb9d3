-- Where a customer who is in a stage at the start of a month is likely to be at its
-- end, all in all: the moves of the last twelve complete months taken together, so that
-- every season counts once.
with

final as (
    select
        from_stage,
        to_stage,
        pair_month_count,
        customer_month_count,
        transition_rate
    from {{ ref('int_stage_transitions') }}
)

select * from final
