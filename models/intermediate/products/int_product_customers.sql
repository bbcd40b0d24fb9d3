-- Whose next products are foretold: at the live cutoff every customer, at the train
-- cutoff, to be judged, the sample. Beside it how many purchases (days) of known
-- products were seen of each, and how many purchases are expected: within the next
-- three months (live), within the window until the live cutoff (train).
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff in ('live', 'train')
),

features as (
    select
        cutoff,
        customer_id
    from {{ ref('int_customer_features') }}
    where cutoff in ('live', 'train')
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

expected as (
    select
        'live' as cutoff,
        customer_id,
        purchases_3_months as next_purchases
    from {{ ref('int_customer_residuals') }}

    union all

    select
        cutoff,
        customer_id,
        champion_purchases as next_purchases
    from {{ ref('int_process_predictions') }}
    where cutoff = 'train'
),

days as (
    select distinct
        customer_id,
        purchase_date
    from {{ ref('int_product_days') }}
),

counted as (
    select
        cutoffs.cutoff,
        days.customer_id,
        count(*) as item_purchase_count
    from days
    inner join cutoffs on days.purchase_date <= cutoffs.cutoff_date
    group by cutoffs.cutoff, days.customer_id
),

final as (
    select
        features.cutoff,
        features.customer_id,
        cutoffs.cutoff_date,
        cast(coalesce(counted.item_purchase_count, 0) as bigint)
            as item_purchase_count,
        expected.next_purchases
    from features
    inner join cutoffs on features.cutoff = cutoffs.cutoff
    left join sampled on features.customer_id = sampled.customer_id
    left join counted
        on
            features.cutoff = counted.cutoff
            and features.customer_id = counted.customer_id
    left join expected
        on
            features.cutoff = expected.cutoff
            and features.customer_id = expected.customer_id
    where features.cutoff = 'live' or sampled.customer_id is not null
)

select * from final
