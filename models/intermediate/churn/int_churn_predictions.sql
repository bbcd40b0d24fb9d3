-- What each method said at the train cutoff of who would leave until the live one,
-- beside who left. The learners learned from the window before. A risk puts customers
-- in order; a probability says how likely it is. P(alive) is the champion's, and a
-- probability of having left by the cutoff rather than of leaving in the window.
with

sampled as (
    select
        customer_id,
        relationship,
        days_since_last_purchase,
        has_left
    from {{ ref('int_churn_sample') }}
    where cutoff = 'train'
),

learned as (
    select
        customer_id,
        max(case when churn_learner = 'logistic' then churn_probability_rate end)
            as logistic_rate,
        max(case when churn_learner = 'linear_svm' then churn_probability_rate end)
            as linear_svm_rate
    from {{ ref('int_churn_scores') }}
    where cutoff = 'train'
    group by customer_id
),

histories as (
    select
        customer_id,
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_histories') }}
    where cutoff = 'train'
),

weights as (
    select
        process,
        weight_rate
    from {{ ref('int_process_weights') }}
),

scored as (
    select
        customer_group,
        process,
        frequency,
        recency_days,
        age_days,
        p_alive_rate
    from {{ ref('int_purchase_histories_scored') }}
    where cutoff = 'train'
),

expected as (
    select
        customer_id,
        champion_uncorrected_purchases
    from {{ ref('int_process_predictions') }}
    where cutoff = 'train'
),

-- sums of decimals are the same in any order of rows
alive as (
    select
        scored.customer_group,
        scored.frequency,
        scored.recency_days,
        scored.age_days,
        cast(
            sum(cast(scored.p_alive_rate * weights.weight_rate as decimal(38, 12)))
            as {{ type_double() }}
        ) as p_alive_rate
    from scored
    inner join weights on scored.process = weights.process
    group by
        scored.customer_group,
        scored.frequency,
        scored.recency_days,
        scored.age_days
),

final as (
    select
        sampled.customer_id,
        sampled.relationship,
        learned.logistic_rate as logistic_risk,
        learned.logistic_rate as logistic_probability,
        learned.linear_svm_rate as linear_svm_risk,
        learned.linear_svm_rate as linear_svm_probability,
        1 - alive.p_alive_rate as p_alive_risk,
        -- least() passes over NULL on some engines
        case
            when alive.p_alive_rate is not null
                then least(1, greatest(0, 1 - alive.p_alive_rate))
        end as p_alive_probability,
        -expected.champion_uncorrected_purchases as expected_purchases_risk,
        cast(null as {{ type_double() }}) as expected_purchases_probability,
        sampled.days_since_last_purchase as recency_risk,
        cast(null as {{ type_double() }}) as recency_probability,
        sampled.has_left
    from sampled
    left join learned on sampled.customer_id = learned.customer_id
    left join histories on sampled.customer_id = histories.customer_id
    left join alive
        on
            histories.customer_group = alive.customer_group
            and histories.frequency = alive.frequency
            and histories.recency_days = alive.recency_days
            and histories.age_days = alive.age_days
    left join expected on sampled.customer_id = expected.customer_id
)

select * from final
