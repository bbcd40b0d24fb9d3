-- What a regression learns from at the train cutoff: what was known of a customer one
-- window earlier, and what the customer did in that window, which is over by then.
with

features as (
    select
        cutoff,
        customer_id,
        frequency,
        recency_days,
        age_days,
        purchase_revenue_amount
    from {{ ref('int_customer_features') }}
    where cutoff = 'test'
),

sample as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

outcomes as (
    select
        customer_id,
        purchase_count,
        revenue_amount
    from {{ ref('int_customer_outcomes') }}
    where cutoff = 'test'
),

final as (
    select
        features.customer_id,
        features.frequency,
        features.recency_days,
        features.age_days,
        cast(features.purchase_revenue_amount as {{ type_double() }})
            as purchase_revenue_amount,
        coalesce(outcomes.purchase_count, 0) as actual_purchases,
        cast(coalesce(outcomes.revenue_amount, 0) as {{ type_double() }})
            as actual_revenue
    from features
    inner join sample on features.customer_id = sample.customer_id
    left join outcomes on features.customer_id = outcomes.customer_id
)

select * from final
