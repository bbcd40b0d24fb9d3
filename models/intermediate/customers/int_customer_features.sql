-- What was known of each customer on the evening of each cutoff, in the terms of the
-- buy-till-you-die models (frequency, recency, age) and of RFM.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        {{ add_days('cutoff_date', '-holdout_days') }} as recent_after_date
    from {{ ref('int_cutoff_dates') }}
),

days as (
    select
        customer_id,
        activity_date,
        purchase_number,
        days_since_previous_purchase as gap_days,
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
        count(
            case
                when days.activity_date > cutoffs.recent_after_date
                    then days.purchase_number
            end
        ) as recent_purchase_count,
        sum(cast(days.gap_days * days.gap_days as bigint)) as squared_gap_days,
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

measured as (
    select
        summed.*,
        {{ days_between(
            'summed.first_purchase_date', 'summed.last_purchase_date'
        ) }} as recency_days
    from summed
    where summed.purchase_count > 0
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
        recency_days,
        {{ days_between('first_purchase_date', 'cutoff_date') }} as age_days,
        {{ days_between('last_purchase_date', 'cutoff_date') }}
            as days_since_last_purchase,
        cast(recent_purchase_count as bigint) as recent_purchase_count,
        -- the gaps are as many as the repeat purchases, and add up to the recency
        case when purchase_count >= 3 then
            {{ ratio(
                'sqrt(greatest(0, '
                ~ ratio(
                    'squared_gap_days - '
                    ~ ratio('recency_days * recency_days', 'purchase_count - 1'),
                    'purchase_count - 2'
                ) ~ '))',
                ratio('recency_days', 'purchase_count - 1')
            ) }}
        end as gap_variation,
        cast(order_count as bigint) as order_count,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('margin_amount') }} as margin_amount,
        {{ money('purchase_revenue_amount') }} as purchase_revenue_amount,
        {{ money(ratio('repeat_revenue_amount', 'purchase_count - 1')) }}
            as mean_repeat_amount
    from measured
)

select * from final
