-- What Gamma-Gamma learns from. The first purchase is not in the mean: like the
-- purchase processes it speaks of what comes after it.
with

features as (
    select
        cutoff,
        customer_id,
        frequency,
        mean_repeat_amount
    from {{ ref('int_customer_features') }}
    where frequency > 0
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

final as (
    select
        features.cutoff,
        features.customer_id,
        features.frequency,
        cast(features.mean_repeat_amount as {{ type_double() }}) as mean_repeat_amount
    from features
    inner join sampled on features.customer_id = sampled.customer_id
    where features.mean_repeat_amount > 0
)

select * from final
