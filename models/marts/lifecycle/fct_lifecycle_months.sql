-- How many customers each stage had at the start and at the end of each month, and who
-- came and went in between: start + entered - left = end, and the stages together are
-- everyone. Who enters and leaves within one month is not seen. What the open month
-- will come to is not known yet.
with

moves as (
    select
        calendar_month,
        from_stage,
        to_stage,
        customer_count,
        is_mature
    from {{ ref('int_stage_months') }}
),

sides as (
    select
        calendar_month,
        to_stage as stage_name,
        case when from_stage = to_stage then customer_count else 0 end as stayed_count,
        case when from_stage != to_stage then customer_count else 0 end
            as entered_count,
        0 as left_count,
        is_mature
    from moves

    union all

    select
        calendar_month,
        from_stage as stage_name,
        0 as stayed_count,
        0 as entered_count,
        customer_count as left_count,
        is_mature
    from moves
    where from_stage != to_stage and from_stage != 'new'
),

summed as (
    select
        calendar_month,
        stage_name,
        is_mature,
        sum(stayed_count) as stayed_count,
        sum(entered_count) as entered_count,
        sum(left_count) as left_count
    from sides
    group by calendar_month, stage_name, is_mature
),

stages as (
    select
        stage_order,
        stage
    from {{ ref('lifecycle_stages') }}
),

counted as (
    select
        summed.calendar_month,
        stages.stage,
        stages.stage_order,
        summed.stayed_count + summed.left_count as start_count,
        case when summed.is_mature then summed.entered_count end as entered_count,
        case when summed.is_mature then summed.left_count end as left_count,
        case
            when summed.is_mature then summed.stayed_count + summed.entered_count
        end as end_count,
        summed.is_mature
    from summed
    inner join stages on summed.stage_name = stages.stage
),

final as (
    select
        calendar_month,
        stage,
        stage_order,
        cast(start_count as bigint) as stage_start_count,
        cast(entered_count as bigint) as entered_count,
        cast(left_count as bigint) as left_count,
        cast(end_count as bigint) as stage_end_count,
        {{ ratio('end_count', 'sum(end_count) over (partition by calendar_month)') }}
            as stage_share_rate,
        is_mature
    from counted
)

select * from final
