-- What a regression learns from: what was known of a customer at an earlier cutoff, and
-- what the customer did in the window that followed, which is over by the next one.
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
    where cutoff in ('test', 'train')
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

outcomes as (
    select
        cutoff,
        customer_id,
        purchase_count,
        revenue_amount,
        margin_amount
    from {{ ref('int_customer_outcomes') }}
),

final as (
    select
        features.cutoff,
        features.customer_id,
        features.frequency,
        features.recency_days,
        features.age_days,
        cast(features.purchase_revenue_amount as {{ type_double() }})
            as purchase_revenue_amount,
        coalesce(outcomes.purchase_count, 0) as actual_purchases,
        cast(coalesce(outcomes.revenue_amount, 0) as {{ type_double() }})
            as actual_revenue,
        cast(coalesce(outcomes.margin_amount, 0) as {{ type_double() }})
            as actual_margin
    from features
    inner join sampled on features.customer_id = sampled.customer_id
    left join outcomes
        on
            features.cutoff = outcomes.cutoff
            and features.customer_id = outcomes.customer_id
)

select * from final
