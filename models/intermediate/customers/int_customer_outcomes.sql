-- What became of the customers known at the test and train cutoffs: their purchases in
-- the window until the next cutoff. Who bought nothing has no row.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        {{ add_days('cutoff_date', 'holdout_days') }} as window_end_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff in ('test', 'train')
),

known as (
    select
        cutoff,
        customer_id
    from {{ ref('int_customer_features') }}
    where cutoff in ('test', 'train')
),

days as (
    select
        customer_id,
        activity_date,
        revenue_amount,
        margin_amount,
        is_purchase
    from {{ ref('int_customer_days') }}
),

final as (
    select
        cutoffs.cutoff,
        days.customer_id,
        count(case when days.is_purchase then 1 end) as purchase_count,
        {{ money(
            'sum(case when days.is_purchase then days.revenue_amount else 0 end)'
        ) }} as revenue_amount,
        {{ money('sum(days.margin_amount)') }} as margin_amount
    from days
    inner join cutoffs
        on
            days.activity_date > cutoffs.cutoff_date
            and days.activity_date <= cutoffs.window_end_date
    inner join known
        on
            days.customer_id = known.customer_id
            and cutoffs.cutoff = known.cutoff
    group by cutoffs.cutoff, days.customer_id
    having count(case when days.is_purchase then 1 end) > 0
)

select * from final
