-- How many customers went from which stage to which in each month, from one month's end
-- to the next; what came and went in between does not count. Only who moved is read
-- from the changes; how many stayed follows from how many there were.
-- Months begin with that of the first order. A customer list may reach back further;
-- until then nobody can be seen buying, so all that came before is one month, of which
-- remains only how many each stage had when the first began.
with

live as (
    select
        {{ month_start('cutoff_date') }} as live_month,
        -- the first month whose end has not been seen
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month,
        {{ month_start('first_order_date') }} as first_order_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

changes as {{ inlined() }} (
    select
        stage_changes.customer_id,
        greatest(
            {{ month_start('stage_changes.from_date') }},
            {{ add_months('live.first_order_month', -1) }}
        ) as calendar_month,
        greatest(
            {{ month_start('stage_changes.until_date') }},
            {{ add_months('live.first_order_month', -1) }}
        ) as until_month,
        stage_changes.until_date is null as is_latest,
        stage_changes.stage
    from {{ ref('int_stage_changes') }} as stage_changes
    cross join live
),

-- a stage that a month's end saw is that with which the month of the next change began
seen as (
    select
        customer_id,
        calendar_month,
        cast(null as {{ dbt.type_string() }}) as from_stage,
        stage as to_stage
    from changes
    where is_latest or until_month > calendar_month

    union all

    select
        changes.customer_id,
        changes.until_month as calendar_month,
        changes.stage as from_stage,
        cast(null as {{ dbt.type_string() }}) as to_stage
    from changes
    where not changes.is_latest and changes.until_month > changes.calendar_month
),

moved as (
    select
        calendar_month,
        customer_id,
        -- nothing came before the first change
        coalesce(max(from_stage), 'new') as from_stage,
        max(to_stage) as to_stage
    from seen
    group by calendar_month, customer_id
),

moves as (
    select
        calendar_month,
        from_stage,
        to_stage,
        count(*) as customer_count
    from moved
    where from_stage != to_stage
    group by calendar_month, from_stage, to_stage
),

entered as (
    select
        calendar_month,
        to_stage,
        sum(customer_count) as entered_count
    from moves
    group by calendar_month, to_stage
),

departed as (
    select
        calendar_month,
        from_stage,
        sum(customer_count) as left_count
    from moves
    group by calendar_month, from_stage
),

first_month as (
    select min(calendar_month) as calendar_month
    from moves
),

grid as (
    select
        {{ add_months('first_month.calendar_month', 'counter.n') }} as calendar_month,
        rules.stage
    from first_month
    cross join live
    cross join {{ ref('lifecycle_stages') }} as rules
    -- a hundred years
    inner join {{ numbers(1200) }} as counter
        on
            counter.n
            <= {{ months_between('first_month.calendar_month', 'live.live_month') }}
),

accumulated as (
    select
        grid.calendar_month,
        grid.stage,
        coalesce(departed.left_count, 0) as left_count,
        coalesce(
            sum(coalesce(entered.entered_count, 0) - coalesce(departed.left_count, 0))
                over (
                    partition by grid.stage
                    order by grid.calendar_month
                    rows between unbounded preceding and 1 preceding
                ),
            0
        ) as start_count
    from grid
    left join entered
        on
            grid.calendar_month = entered.calendar_month
            and grid.stage = entered.to_stage
    left join departed
        on
            grid.calendar_month = departed.calendar_month
            and grid.stage = departed.from_stage
),

movements as (
    select
        calendar_month,
        from_stage,
        to_stage,
        customer_count
    from moves

    union all

    select
        calendar_month,
        stage as from_stage,
        stage as to_stage,
        start_count - left_count as customer_count
    from accumulated
),

final as (
    select
        movements.calendar_month,
        movements.from_stage,
        movements.to_stage,
        cast(movements.customer_count as bigint) as customer_count,
        movements.calendar_month < live.first_open_month as is_mature
    from movements
    inner join live on movements.calendar_month >= live.first_order_month
)

select * from final
