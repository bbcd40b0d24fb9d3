-- Who takes part in an experiment whose window still runs: a contact now would spoil
-- what is being measured, above all in the control group.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

assignments as (
    select
        customer_id,
        cast(assigned_at as date) as assigned_date
    from {{ ref('stg_shop__experiments') }}
),

final as (
    select
        assignments.customer_id,
        max(assignments.assigned_date) as last_assigned_date
    from assignments
    cross join live
    where
        {{ days_between('assignments.assigned_date', 'live.cutoff_date') }}
        between 0
        and {{ setting_number('experiment_window_days', minimum=1, whole=true) }} - 1
    group by assignments.customer_id
)

select * from final
