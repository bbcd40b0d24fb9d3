-- The spans of time for which purchases are expected. At the live cutoff these are the
-- months of the horizon, counted from the cutoff; at the earlier cutoffs it is the one
-- window until the next, on which predictions are judged.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
),

months as (
    select n + 1 as period_number
    from {{ numbers(setting_number('value_horizon_months', minimum=1)) }}
),

dated as (
    select
        cutoffs.cutoff,
        cutoffs.cutoff_date,
        months.period_number,
        {{ add_days(
            add_months('cutoffs.cutoff_date', 'months.period_number - 1'), 1
        ) }} as period_start_date,
        {{ add_months('cutoffs.cutoff_date', 'months.period_number') }}
            as period_end_date
    from cutoffs
    cross join months
    where cutoffs.cutoff = 'live'

    union all

    select
        cutoff,
        cutoff_date,
        1 as period_number,
        {{ add_days('cutoff_date', 1) }} as period_start_date,
        {{ add_days('cutoff_date', 'holdout_days') }} as period_end_date
    from cutoffs
    where cutoff != 'live'
),

final as (
    select
        cutoff,
        period_number,
        period_start_date,
        period_end_date,
        {{ days_between('cutoff_date', 'period_end_date') }} as end_days
    from dated
)

select * from final
