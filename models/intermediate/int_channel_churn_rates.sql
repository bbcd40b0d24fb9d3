-- Which share of its customers a channel loses in a month: churned customers over
-- customer-months at risk in the last 12 complete months. Fewer than 30 customer-months
-- say too little: then the rate of all channels together stands in, and if those too
-- are fewer than 30, the rate is not known. Contracts and silence are different
-- processes and never share a rate.
{% set customer_months_needed = 30 %}

with

months as (
    select
        calendar_month,
        relationship,
        acquisition_channel,
        customers_at_risk_count,
        churned_from_start_count,
        is_mature
    from {{ ref('int_churn_months') }}
),

last_month as (
    select max(calendar_month) as calendar_month
    from months
    where is_mature
),

channels as (
    select
        months.relationship,
        months.acquisition_channel,
        sum(
            case when months.is_mature then months.customers_at_risk_count else 0 end
        ) as risk_months,
        sum(
            case when months.is_mature then months.churned_from_start_count else 0 end
        ) as churned_count
    from months
    cross join last_month
    where
        -- no month is complete yet: every channel still gets its row
        last_month.calendar_month is null
        or months.calendar_month > {{ add_months('last_month.calendar_month', -12) }}
    group by months.relationship, months.acquisition_channel
),

with_shop as (
    select
        channels.*,
        sum(risk_months) over (partition by relationship) as shop_risk_months,
        sum(churned_count) over (partition by relationship) as shop_churned_count
    from channels
),

final as (
    select
        relationship,
        acquisition_channel,
        case
            when risk_months >= {{ customer_months_needed }} then 'channel'
            when shop_risk_months >= {{ customer_months_needed }} then 'shop'
            else 'not known'
        end as rate_source,
        cast(risk_months as bigint) as customer_months_at_risk_count,
        cast(churned_count as bigint) as churned_count,
        case
            when risk_months >= {{ customer_months_needed }}
                then {{ ratio('churned_count', 'risk_months') }}
            when shop_risk_months >= {{ customer_months_needed }}
                then {{ ratio('shop_churned_count', 'shop_risk_months') }}
        end as monthly_churn_rate
    from with_shop
)

select * from final
