-- What the champion says of each history at the live cutoff. An average of processes
-- has the average of their uncertainties: they learned from the same purchases and err
-- together.
with

scored as (
    select
        customer_group,
        process,
        frequency,
        recency_days,
        age_days,
        p_alive_rate,
        purchase_probability_12_months_rate,
        purchases_3_months,
        purchases_6_months,
        purchases_12_months,
        purchases,
        discounted_purchases,
        unseasonal_discounted_purchases,
        discounted_purchases_for_ever
    from {{ ref('int_purchase_histories_scored') }}
    where cutoff = 'live'
),

uncertain as (
    select
        customer_group,
        process,
        frequency,
        recency_days,
        age_days,
        champion,
        weight_rate,
        log_standard_error
    from {{ ref('int_purchase_histories_uncertain') }}
),

{% set figures = [
    'p_alive_rate', 'purchase_probability_12_months_rate', 'purchases_3_months',
    'purchases_6_months', 'purchases_12_months', 'purchases', 'discounted_purchases',
    'unseasonal_discounted_purchases', 'discounted_purchases_for_ever',
] %}

weighed as (
    select
        scored.customer_group,
        uncertain.champion,
        uncertain.weight_rate,
        scored.frequency,
        scored.recency_days,
        scored.age_days,
        {% for figure in figures %}
        cast(scored.{{ figure }} * uncertain.weight_rate as decimal(38, 12))
            as {{ figure }},
        {% endfor %}
        cast(uncertain.log_standard_error * uncertain.weight_rate as decimal(38, 12))
            as log_standard_error
    from scored
    inner join uncertain
        on
            scored.customer_group = uncertain.customer_group
            and scored.process = uncertain.process
            and scored.frequency = uncertain.frequency
            and scored.recency_days = uncertain.recency_days
            and scored.age_days = uncertain.age_days
),

final as (
    select
        customer_group,
        frequency,
        recency_days,
        age_days,
        champion,
        {% for figure in figures %}
        {{ ratio('sum(' ~ figure ~ ')', 'sum(weight_rate)') }} as {{ figure }},
        {% endfor %}
        {{ ratio('sum(log_standard_error)', 'sum(weight_rate)') }} as log_standard_error
    from weighed
    group by customer_group, frequency, recency_days, age_days, champion
)

select * from final
