-- The linear regression, learned from the window that is over at the train cutoff,
-- applied to what is known of each customer then. A straight line may fall below
-- nothing; nobody buys less.
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
    where cutoff = 'train'
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

learned as (
    select
        target,
        term,
        coefficient
    from {{ ref('ml_value_regression') }}
    where cutoff = 'test'
),

lines as (
    select
        target,
        max(case when term = 'intercept' then coefficient end) as intercept,
        max(case when term = 'frequency' then coefficient end) as by_frequency,
        max(case when term = 'recency_days' then coefficient end) as by_recency,
        max(case when term = 'age_days' then coefficient end) as by_age,
        max(case when term = 'purchase_revenue_amount' then coefficient end)
            as by_revenue
    from learned
    group by target
),

predicted as (
    select
        features.cutoff,
        features.customer_id,
        lines.target,
        greatest(
            0,
            lines.intercept
            + lines.by_frequency * features.frequency
            + lines.by_recency * features.recency_days
            + lines.by_age * features.age_days
            + lines.by_revenue * features.purchase_revenue_amount
        ) as prediction
    from features
    inner join sampled on features.customer_id = sampled.customer_id
    cross join lines
),

final as (
    select
        cutoff,
        customer_id,
        max(case when target = 'purchases' then prediction end)
            as regression_purchases,
        max(case when target = 'revenue' then prediction end) as regression_revenue
    from predicted
    group by cutoff, customer_id
)

select * from final
