-- Of everyone who is a customer on the live cutoff's evening: how likely they are not
-- lost for so long, and the day until which it is as likely as not. The median is
-- looked for on the hazard that half of such customers do not survive, ln 2; beyond the
-- observed days in a straight line, and not at all beyond ten years.
{% set most_days = 3653 %}

with

predictions as (
    select
        customer_id,
        relationship,
        stay_days,
        days_until_loss,
        from_day_number,
        last_day_number,
        from_hazard,
        daily_hazard,
        survival_3_months_rate,
        survival_6_months_rate,
        survival_12_months_rate,
        is_survival_extrapolated,
        -- what the average customer's hazard has to add up to
        ln(2) * exp(-log_hazard_ratio) as median_hazard,
        coalesce(silence_hazard, 0) as silence_hazard
    from {{ ref('int_survival_predictions') }}
    where cutoff = 'live'
),

baseline as (
    select
        relationship,
        day_number,
        cumulative_hazard,
        day_number = last_day_number as is_last
    from {{ ref('int_survival_baseline') }}
    where cutoff = 'live'
),

-- nobody's hazard can end before the days that it is counted from
targets as (
    select
        customer_id,
        relationship,
        stay_days,
        days_until_loss,
        from_day_number,
        last_day_number,
        from_hazard,
        daily_hazard,
        silence_hazard >= median_hazard as is_lost_in_silence,
        from_hazard + median_hazard - silence_hazard as target_hazard
    from predictions
),

-- the first day with at least the target's hazard, found by sorting both together
points as (
    select
        relationship,
        cumulative_hazard as hazard,
        day_number,
        cast(null as {{ dbt.type_string() }}) as customer_id
    from baseline

    union all

    select
        relationship,
        target_hazard as hazard,
        cast(null as integer) as day_number,
        customer_id
    from targets
    where not is_lost_in_silence
),

points_followed as (
    select
        customer_id,
        min(day_number) over (
            partition by relationship order by hazard desc
            range between unbounded preceding and current row
        ) as day_number
    from points
),

found as (
    select
        customer_id,
        day_number
    from points_followed
    where customer_id is not null
),

last_days as (
    select
        relationship,
        cumulative_hazard as last_hazard
    from baseline
    where is_last
),

medians as (
    select
        targets.customer_id,
        case
            when targets.is_lost_in_silence then targets.days_until_loss
            when found.day_number is not null then found.day_number - targets.stay_days
            -- compared as doubles: a rate next to 0 has no day that fits an integer
            when
                targets.target_hazard - last_days.last_hazard
                <= targets.daily_hazard
                * ({{ most_days }} + targets.stay_days - targets.last_day_number)
                then
                    targets.last_day_number - targets.stay_days
                    + cast(ceil({{ ratio(
                        'targets.target_hazard - last_days.last_hazard',
                        'targets.daily_hazard'
                    ) }}) as integer)
        end as median_remaining_days
    from targets
    inner join last_days on targets.relationship = last_days.relationship
    left join found on targets.customer_id = found.customer_id
),

final as (
    select
        predictions.customer_id,
        predictions.survival_3_months_rate,
        predictions.survival_6_months_rate,
        predictions.survival_12_months_rate,
        case
            when medians.median_remaining_days <= {{ most_days }}
                then cast(medians.median_remaining_days as integer)
        end as median_remaining_days,
        predictions.is_survival_extrapolated
    from predictions
    inner join medians on predictions.customer_id = medians.customer_id
)

select * from final
