-- A channel's month is the sum of its campaigns', its fixed costs among them, so that
-- a channel's CAC is fully loaded where a campaign's is not.
with

campaign_months as (
    select
        calendar_month,
        channel,
        ad_spend_amount,
        fixed_cost_amount,
        spend_amount,
        impression_count,
        click_count,
        new_customer_count,
        first_purchase_revenue_amount,
        is_paid,
        is_mature
    from {{ ref('fct_campaign_months') }}
),

summed as (
    select
        calendar_month,
        channel,
        sum(ad_spend_amount) as ad_spend_amount,
        sum(fixed_cost_amount) as fixed_cost_amount,
        sum(spend_amount) as spend_amount,
        sum(impression_count) as impression_count,
        sum(click_count) as click_count,
        sum(new_customer_count) as new_customer_count,
        sum(first_purchase_revenue_amount) as first_purchase_revenue_amount,
        is_paid,
        is_mature
    from campaign_months
    group by calendar_month, channel, is_paid, is_mature
),

final as (
    select
        calendar_month,
        channel,
        {{ money('ad_spend_amount') }} as ad_spend_amount,
        {{ money('fixed_cost_amount') }} as fixed_cost_amount,
        {{ money('spend_amount') }} as spend_amount,
        cast(impression_count as bigint) as impression_count,
        cast(click_count as bigint) as click_count,
        cast(new_customer_count as bigint) as new_customer_count,
        {{ money('first_purchase_revenue_amount') }} as first_purchase_revenue_amount,
        case
            when spend_amount > 0
                then {{ money(ratio('spend_amount', 'new_customer_count')) }}
        end as cac_amount,
        is_paid,
        is_mature
    from summed
)

select * from final
