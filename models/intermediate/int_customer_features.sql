-- What was known of each customer on the evening of each cutoff, in the terms of the
-- buy-till-you-die models (frequency, recency, age) and of RFM.
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

days as (
    select
        customer_id,
        activity_date,
        purchase_number,
        order_count,
        revenue_amount,
        margin_amount
    from {{ ref('int_customer_days') }}
),

summed as (
    select
        cutoffs.cutoff,
        days.customer_id,
        cutoffs.cutoff_date,
        min(case when days.purchase_number = 1 then days.activity_date end)
            as first_purchase_date,
        max(case when days.purchase_number >= 1 then days.activity_date end)
            as last_purchase_date,
        count(days.purchase_number) as purchase_count,
        sum(days.order_count) as order_count,
        sum(days.revenue_amount) as revenue_amount,
        sum(days.margin_amount) as margin_amount,
        sum(case when days.purchase_number >= 1 then days.revenue_amount end)
            as purchase_revenue_amount,
        sum(case when days.purchase_number >= 2 then days.revenue_amount end)
            as repeat_revenue_amount
    from days
    inner join cutoffs on days.activity_date <= cutoffs.cutoff_date
    group by cutoffs.cutoff, days.customer_id, cutoffs.cutoff_date
),

final as (
    select
        cutoff,
        customer_id,
        cutoff_date,
        first_purchase_date,
        last_purchase_date,
        cast(purchase_count as bigint) as purchase_count,
        cast(purchase_count - 1 as bigint) as frequency,
        {{ days_between('first_purchase_date', 'last_purchase_date') }}
            as recency_days,
        {{ days_between('first_purchase_date', 'cutoff_date') }} as age_days,
        {{ days_between('last_purchase_date', 'cutoff_date') }}
            as days_since_last_purchase,
        cast(order_count as bigint) as order_count,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('margin_amount') }} as margin_amount,
        {{ money('purchase_revenue_amount') }} as purchase_revenue_amount,
        {{ money(ratio('repeat_revenue_amount', 'purchase_count - 1')) }}
            as mean_repeat_amount
    from summed
    where purchase_count > 0
)

select * from final
