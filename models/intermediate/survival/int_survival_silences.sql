-- How likely who has been silent for so many days will still be so at the churn
-- threshold, and be lost on that day: of those with a gap as long, by Kaplan and Meier,
-- the share whose gap is longer than the threshold. By what the last purchase was: who
-- bought once comes back less often than who has come back before. A class with fewer
-- than thirty gaps observed until the threshold takes the share of all.
{% set gaps_needed = 30 %}

with

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

gaps as (
    select
        cutoff,
        buyer_class,
        gap_days,
        is_followed,
        observed_gap_count
    from {{ ref('int_survival_gaps') }}
),

classes as (
    select distinct
        cutoff,
        buyer_class
    from gaps
),

-- a count of 0 gives a day its place on the curve
gaps_and_days as (
    select
        cutoff,
        buyer_class,
        gap_days,
        is_followed,
        observed_gap_count
    from gaps

    union all

    select
        classes.cutoff,
        classes.buyer_class,
        numbers.n as gap_days,
        false as is_followed,
        0 as observed_gap_count
    from classes
    cross join threshold
    inner join {{ numbers(20000) }} as numbers
        on threshold.inactivity_days >= numbers.n
),

curves as (
    {{ kaplan_meier(
        'gaps_and_days', 'gap_days', 'is_followed', ['cutoff', 'buyer_class'], 'observed_gap_count'
    ) | indent(4) }}
),

at_threshold as (
    select
        curves.cutoff,
        curves.buyer_class,
        curves.survival_rate,
        curves.at_risk_count
    from curves
    inner join threshold on curves.duration = threshold.inactivity_days
),

-- beyond the longest gap there is no curve: nobody was silent for so long
judged as (
    select
        curves.cutoff,
        curves.buyer_class,
        curves.duration as silent_days,
        {{ ratio('at_threshold.survival_rate', 'curves.survival_rate') }} as loss_rate,
        at_threshold.at_risk_count
    from curves
    cross join threshold
    inner join at_threshold
        on
            curves.cutoff = at_threshold.cutoff
            and curves.buyer_class = at_threshold.buyer_class
    where curves.duration < threshold.inactivity_days
),

known_classes as (
    select 'all' as buyer_class
    {% for buyer_class in [
        'first purchase', 'return', 'second purchase', 'third or fourth purchase',
        'later purchase',
    ] -%}
    union all
    select '{{ buyer_class }}' as buyer_class
    {% endfor %}
),

final as (
    select
        everyone.cutoff,
        known_classes.buyer_class,
        cast(everyone.silent_days as integer) as silent_days,
        case
            when own.at_risk_count >= {{ gaps_needed }} and own.loss_rate is not null
                then own.loss_rate
            else everyone.loss_rate
        end as loss_rate,
        coalesce(
            own.at_risk_count >= {{ gaps_needed }} and own.loss_rate is not null, false
        ) as is_own_class
    from judged as everyone
    cross join known_classes
    left join judged as own
        on
            everyone.cutoff = own.cutoff
            and everyone.silent_days = own.silent_days
            and known_classes.buyer_class = own.buyer_class
    where everyone.buyer_class = 'all' and everyone.loss_rate is not null
)

select * from final
