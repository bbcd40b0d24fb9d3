-- The hazard of the average customer, added up day by day since the start: after
-- Breslow, with Efron's correction for those lost on the same day (a great part of the
-- buyers without contract is lost on one day, a threshold after the only purchase;
-- without the correction they would seem to stay longer). Beside it the same without
-- traits, of everyone alike. It ends with the last day on which ten customers were
-- observed; beyond it the hazard goes on at the mean rate of the last quarter of the
-- days, without the one on which those are lost who bought once.
{% set at_risk_needed = 10 %}

with

observations as (
    select
        lifetimes.cutoff,
        lifetimes.relationship,
        lifetimes.duration_days,
        lifetimes.is_lost,
        hazards.log_hazard_ratio
    from {{ ref('int_customer_lifetimes') }} as lifetimes
    inner join {{ ref('int_survival_hazards') }} as hazards
        on
            lifetimes.cutoff = hazards.cutoff
            and lifetimes.customer_id = hazards.customer_id
            and lifetimes.relationship = hazards.relationship
),

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

curves as (
    {{ cumulative_hazard(
        'observations', 'duration_days', 'is_lost', 'log_hazard_ratio',
        ['cutoff', 'relationship']
    ) | indent(4) }}
),

plain_curves as (
    {{ cumulative_hazard(
        'observations', 'duration_days', 'is_lost', '0', ['cutoff', 'relationship']
    ) | indent(4) }}
),

ends as (
    select
        cutoff,
        relationship,
        max(duration) as last_day_number
    from curves
    where at_risk_count >= {{ at_risk_needed }}
    group by cutoff, relationship
),

days as (
    select
        ends.cutoff,
        ends.relationship,
        numbers.n as day_number,
        ends.last_day_number
    from ends
    inner join {{ numbers(20000) }} as numbers on ends.last_day_number >= numbers.n
),

-- a hazard stays until the next day on which somebody leaves; hazards only grow
filled as (
    select
        days.cutoff,
        days.relationship,
        days.day_number,
        days.last_day_number,
        coalesce(curves.event_count, 0) as lost_customer_count,
        max(curves.at_risk_count) over (
            partition by days.cutoff, days.relationship order by days.day_number desc
            rows between unbounded preceding and current row
        ) as observed_count,
        coalesce(max(curves.cumulative_hazard) over (
            partition by days.cutoff, days.relationship order by days.day_number
            rows between unbounded preceding and current row
        ), 0) as cumulative_hazard,
        coalesce(max(plain_curves.cumulative_hazard) over (
            partition by days.cutoff, days.relationship order by days.day_number
            rows between unbounded preceding and current row
        ), 0) as plain_cumulative_hazard
    from days
    left join curves
        on
            days.cutoff = curves.cutoff
            and days.relationship = curves.relationship
            and days.day_number = curves.duration
    left join plain_curves
        on
            days.cutoff = plain_curves.cutoff
            and days.relationship = plain_curves.relationship
            and days.day_number = plain_curves.duration
),

-- the day on which those are lost who bought once is none that comes again
quarters as (
    select
        ends.cutoff,
        ends.relationship,
        greatest(
            cast(floor(0.75 * ends.last_day_number) as integer),
            case
                when
                    ends.relationship = 'noncontractual'
                    and threshold.inactivity_days < ends.last_day_number
                    then threshold.inactivity_days
                else 0
            end
        ) as from_day_number
    from ends
    cross join threshold
),

rates as (
    select
        later.cutoff,
        later.relationship,
        {{ ratio(
            'later.cumulative_hazard - earlier.cumulative_hazard',
            'later.day_number - earlier.day_number'
        ) }} as daily_hazard,
        {{ ratio(
            'later.plain_cumulative_hazard - earlier.plain_cumulative_hazard',
            'later.day_number - earlier.day_number'
        ) }} as plain_daily_hazard
    from quarters
    inner join filled as earlier
        on
            quarters.cutoff = earlier.cutoff
            and quarters.relationship = earlier.relationship
            and quarters.from_day_number = earlier.day_number
    inner join filled as later
        on
            quarters.cutoff = later.cutoff
            and quarters.relationship = later.relationship
            and later.day_number = later.last_day_number
),

final as (
    select
        filled.cutoff,
        filled.relationship,
        filled.day_number,
        filled.last_day_number,
        cast(filled.observed_count as bigint) as observed_count,
        cast(filled.lost_customer_count as bigint) as lost_customer_count,
        filled.cumulative_hazard,
        filled.plain_cumulative_hazard,
        coalesce(rates.daily_hazard, 0) as daily_hazard,
        coalesce(rates.plain_daily_hazard, 0) as plain_daily_hazard
    from filled
    left join rates
        on
            filled.cutoff = rates.cutoff
            and filled.relationship = rates.relationship
)

select * from final
