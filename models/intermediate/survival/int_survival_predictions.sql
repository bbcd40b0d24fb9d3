-- How likely it is that a customer is not lost within 3, 6 and 12 months of a cutoff,
-- and until the end of the window on which predictions are judged.
-- Under contract: the hazard of those months of the contract's age.
-- Without: nobody can be lost before the threshold has passed since the last purchase.
-- On that day it is decided: who has stayed silent is lost (int_survival_silences). Who
-- buys before starts the threshold anew, cannot be lost until a whole threshold after
-- the cutoff, and has the hazard of the stay's age from then on.
-- Both in proportion to the customer's hazard ratio.
{% set horizons = ['3_months', '6_months', '12_months', 'window'] %}

with

cutoffs as (
    select
        cutoff,
        {% for months in [3, 6, 12] %}
        {{ days_between('cutoff_date', add_months('cutoff_date', months)) }}
            as days_{{ months }}_months,
        {% endfor %}
        holdout_days as days_window
    from {{ ref('int_cutoff_dates') }}
),

states as (
    select
        cutoff,
        customer_id,
        relationship,
        stay_from_date,
        stay_days,
        buyer_class,
        inactivity_days,
        silent_days,
        is_won_back
    from {{ ref('int_survival_states') }}
),

hazards as (
    select
        cutoff,
        customer_id,
        relationship,
        log_hazard_ratio
    from {{ ref('int_survival_hazards') }}
),

silences as (
    select
        cutoff,
        buyer_class,
        silent_days,
        loss_rate
    from {{ ref('int_survival_silences') }}
),

baseline as (
    select
        cutoff,
        relationship,
        day_number,
        last_day_number,
        cumulative_hazard,
        daily_hazard
    from {{ ref('int_survival_baseline') }}
),

spans as (
    select
        cutoff,
        relationship,
        last_day_number,
        daily_hazard
    from baseline
    where day_number = last_day_number
),

-- a rate of 1 has no finite hazard
measured as (
    select
        states.cutoff,
        states.customer_id,
        states.relationship,
        states.stay_from_date,
        states.stay_days,
        case
            when states.relationship = 'noncontractual'
                then states.inactivity_days - states.silent_days
        end as days_until_loss,
        case
            when states.relationship = 'noncontractual'
                then -ln(1 - least(0.999999, silences.loss_rate))
        end as silence_hazard,
        -- from which age of the stay on the baseline counts
        case
            when states.relationship = 'noncontractual'
                then states.stay_days + states.inactivity_days
            else states.stay_days
        end as from_day_number,
        {% for horizon in horizons %}
        states.stay_days + cutoffs.days_{{ horizon }} as day_number_{{ horizon }},
        cutoffs.days_{{ horizon }},
        {% endfor %}
        hazards.log_hazard_ratio,
        spans.last_day_number,
        spans.daily_hazard,
        states.is_won_back
    from states
    inner join cutoffs on states.cutoff = cutoffs.cutoff
    inner join hazards
        on
            states.cutoff = hazards.cutoff
            and states.customer_id = hazards.customer_id
            and states.relationship = hazards.relationship
    inner join spans
        on
            states.cutoff = spans.cutoff
            and states.relationship = spans.relationship
    left join silences
        on
            states.cutoff = silences.cutoff
            and states.buyer_class = silences.buyer_class
            and states.silent_days = silences.silent_days
),

added_up as (
    select
        measured.*,
        {% for horizon in horizons %}
        case
            when measured.days_until_loss <= measured.days_{{ horizon }}
                then measured.silence_hazard
            else 0
        end as silence_hazard_{{ horizon }},
        baseline_{{ horizon }}.cumulative_hazard
        + measured.daily_hazard
        * greatest(0, measured.day_number_{{ horizon }} - measured.last_day_number)
            as hazard_{{ horizon }},
        {% endfor %}
        from_baseline.cumulative_hazard
        + measured.daily_hazard
        * greatest(0, measured.from_day_number - measured.last_day_number)
            as from_hazard
    from measured
    inner join baseline as from_baseline
        on
            measured.cutoff = from_baseline.cutoff
            and measured.relationship = from_baseline.relationship
            and least(measured.from_day_number, measured.last_day_number)
            = from_baseline.day_number
    {% for horizon in horizons %}
    inner join baseline as baseline_{{ horizon }}
        on
            measured.cutoff = baseline_{{ horizon }}.cutoff
            and measured.relationship = baseline_{{ horizon }}.relationship
            and least(measured.day_number_{{ horizon }}, measured.last_day_number)
            = baseline_{{ horizon }}.day_number
    {% endfor %}
    where measured.relationship = 'contractual' or measured.silence_hazard is not null
),

final as (
    select
        cutoff,
        customer_id,
        relationship,
        stay_from_date,
        stay_days,
        days_until_loss,
        from_day_number,
        last_day_number,
        log_hazard_ratio,
        from_hazard,
        silence_hazard,
        daily_hazard,
        {% for horizon in horizons %}
        {{ survival_rate(
            'silence_hazard_' ~ horizon
            ~ ' + greatest(0, hazard_' ~ horizon ~ ' - from_hazard)',
            'log_hazard_ratio'
        ) }} as survival_{{ horizon }}_rate,
        {% endfor %}
        is_won_back,
        day_number_12_months > last_day_number as is_survival_extrapolated
    from added_up
)

select * from final
