-- The end of a month is the start of the next, stage by stage; the start of a month is
-- what its transitions start from, and their rates add up to 1; and the latest complete
-- month ends with the customers who were in each stage on that evening.
with

months as (
    select
        calendar_month,
        {{ add_months('calendar_month', 1) }} as next_month,
        stage,
        stage_start_count,
        stage_end_count,
        is_mature
    from {{ ref('fct_lifecycle_months') }}
),

broken_chain as (
    select
        months.calendar_month,
        months.stage,
        'the end is not the start of the next month' as finding
    from months
    inner join months as next_months
        on
            months.next_month = next_months.calendar_month
            and months.stage = next_months.stage
    where months.stage_end_count != next_months.stage_start_count
),

transitions as (
    select
        calendar_month,
        from_stage,
        sum(customer_count) as customer_count,
        sum(cast(transition_rate as decimal(38, 12))) as transition_rate
    from {{ ref('fct_lifecycle_transitions') }}
    group by calendar_month, from_stage
),

broken_transitions as (
    select
        months.calendar_month,
        months.stage,
        'the transitions are not of those at the start' as finding
    from months
    left join transitions
        on
            months.calendar_month = transitions.calendar_month
            and months.stage = transitions.from_stage
    where
        months.is_mature
        and months.stage_start_count != coalesce(transitions.customer_count, 0)

    union all

    select
        calendar_month,
        from_stage,
        'the rates do not add up to 1' as finding
    from transitions
    where abs(transition_rate - 1) > 0.000000001
),

latest as (
    select max(next_month) as next_month
    from months
    where is_mature
),

counted as (
    select
        changes.stage,
        count(*) as customer_count
    from {{ ref('int_stage_changes') }} as changes
    inner join latest
        on
            changes.from_date < latest.next_month
            and coalesce(changes.until_date >= latest.next_month, true)
    group by changes.stage
),

broken_counts as (
    select
        months.calendar_month,
        months.stage,
        'the end is not who is there' as finding
    from months
    inner join latest on months.next_month = latest.next_month
    left join counted on months.stage = counted.stage
    where months.stage_end_count != coalesce(counted.customer_count, 0)
),

final as (
    select
        calendar_month,
        stage,
        finding
    from broken_chain

    union all

    select
        calendar_month,
        stage,
        finding
    from broken_transitions

    union all

    select
        calendar_month,
        stage,
        finding
    from broken_counts
)

select * from final
