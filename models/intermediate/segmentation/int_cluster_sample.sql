-- Whom clusters are learned from: buyers of the sample, as they are on the evening of
-- the live cutoff. Nothing is predicted, so that no later window is kept back.
with

traits as (
    select
        customer_id,
        frequency,
        days_since_last_purchase,
        age_days,
        mean_purchase_amount,
        margin_rate,
        gap_variation,
        main_channel_rate,
        satisfaction_score
    from {{ ref('int_customer_traits') }}
    -- who has a contract only, and never bought, has no such amount
    where cutoff = 'live' and mean_purchase_amount > 0
),

sample as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

final as (
    select
        traits.customer_id,
        traits.frequency,
        traits.days_since_last_purchase,
        traits.age_days,
        traits.mean_purchase_amount,
        traits.margin_rate,
        traits.gap_variation,
        traits.main_channel_rate,
        traits.satisfaction_score
    from traits
    inner join sample on traits.customer_id = sample.customer_id
)

select * from final
