-- What each process expected of the customers known at the test and train cutoffs, for
-- the window until the next cutoff, without correction.
with

histories as (
    select
        cutoff,
        customer_id,
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_histories') }}
    where cutoff in ('test', 'train')
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

scored as (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days,
        max(case when process = 'bg_nbd' then unseasonal_purchases end)
            as bg_nbd_purchases,
        max(case when process = 'mbg_nbd' then unseasonal_purchases end)
            as mbg_nbd_purchases,
        max(case when process = 'pareto_nbd' then unseasonal_purchases end)
            as pareto_nbd_purchases
    from {{ ref('int_purchase_histories_scored') }}
    where cutoff in ('test', 'train')
    group by cutoff, customer_group, frequency, recency_days, age_days
),

final as (
    select
        histories.cutoff,
        histories.customer_id,
        scored.bg_nbd_purchases,
        scored.mbg_nbd_purchases,
        scored.pareto_nbd_purchases,
        {{ ratio(
            'scored.bg_nbd_purchases + scored.mbg_nbd_purchases'
            ~ ' + scored.pareto_nbd_purchases', 3
        ) }} as average_purchases
    from histories
    inner join sampled on histories.customer_id = sampled.customer_id
    left join scored
        on
            histories.cutoff = scored.cutoff
            and histories.customer_group = scored.customer_group
            and histories.frequency = scored.frequency
            and histories.recency_days = scored.recency_days
            and histories.age_days = scored.age_days
)

select * from final
