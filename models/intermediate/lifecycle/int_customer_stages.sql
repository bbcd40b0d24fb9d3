-- The stage of each customer on the evening of each cutoff, as a build on that day
-- said.
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

changes as (
    select
        customer_id,
        from_date,
        until_date,
        stage
    from {{ ref('int_stage_changes') }}
),

final as (
    select
        cutoffs.cutoff,
        changes.customer_id,
        changes.stage,
        changes.from_date as stage_since_date
    from changes
    inner join cutoffs
        on
            changes.from_date <= cutoffs.cutoff_date
            and coalesce(changes.until_date > cutoffs.cutoff_date, true)
)

select * from final
