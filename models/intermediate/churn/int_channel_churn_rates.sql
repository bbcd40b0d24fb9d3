-- Which share of its customers a channel loses in a month: churned over customers at
-- the start of the month, summed over the last 12 complete months. Months in which
-- nobody could have churned yet are left out: their zero says nothing. Fewer than 30
-- customer-months at risk say too little: then the rate of all channels together stands
-- in, and if those are too few as well, the rate is not known. Contracts and silence
-- are different processes and never share a rate.
{% set customer_months_needed = 30 %}

with

months as (
    select
        calendar_month,
        relationship,
        acquisition_channel,
        customers_at_start_count,
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

counted as (
    select
        months.relationship,
        months.acquisition_channel,
        coalesce(
            months.is_mature
            and months.customers_at_risk_count > 0
            and months.calendar_month
            > {{ add_months('last_month.calendar_month', -12) }},
            false
        ) as is_counted,
        months.customers_at_start_count,
        months.customers_at_risk_count,
        months.churned_from_start_count
    from months
    cross join last_month
),

-- channels without a month that counts are here too
channels as (
    select
        relationship,
        acquisition_channel,
        sum(case when is_counted then customers_at_start_count else 0 end)
            as customer_months,
        sum(case when is_counted then customers_at_risk_count else 0 end)
            as risk_months,
        sum(case when is_counted then churned_from_start_count else 0 end)
            as churned_count
    from counted
    group by relationship, acquisition_channel
),

with_shop as (
    select
        relationship,
        acquisition_channel,
        customer_months,
        risk_months,
        churned_count,
        sum(customer_months) over (partition by relationship) as shop_customer_months,
        sum(risk_months) over (partition by relationship) as shop_risk_months,
        sum(churned_count) over (partition by relationship) as shop_churned_count
    from channels
),

sourced as (
    select
        relationship,
        acquisition_channel,
        customer_months,
        risk_months,
        churned_count,
        shop_customer_months,
        shop_churned_count,
        case
            when risk_months >= {{ customer_months_needed }} then 'channel'
            when shop_risk_months >= {{ customer_months_needed }} then 'shop'
            else 'not known'
        end as rate_source
    from with_shop
),

final as (
    select
        relationship,
        acquisition_channel,
        rate_source,
        cast(customer_months as bigint) as customer_months_count,
        cast(risk_months as bigint) as customer_months_at_risk_count,
        cast(churned_count as bigint) as churned_count,
        case rate_source
            when 'channel' then {{ ratio('churned_count', 'customer_months') }}
            when 'shop' then {{ ratio('shop_churned_count', 'shop_customer_months') }}
        end as channel_churn_rate
    from sourced
)

select * from final
