-- CAC = spend / new customers. Where no one was acquired or nothing was paid there is
-- no CAC: neither infinite nor 0, but NULL. A channel is paid from its first to its
-- last row if it has ever had spend. The live month counts what is known so far.
with

spend as (
    select
        spend_month,
        channel,
        campaign,
        ad_spend_amount,
        fixed_cost_amount,
        impression_count,
        click_count,
        is_mature
    from {{ ref('int_acquisition_spend') }}
),

acquired as (
    select
        cohort_month,
        acquisition_channel,
        acquisition_campaign,
        new_customer_count,
        first_purchase_revenue_amount,
        is_mature
    from {{ ref('int_customers_acquired') }}
),

months as (
    select
        coalesce(spend.spend_month, acquired.cohort_month) as calendar_month,
        coalesce(spend.channel, acquired.acquisition_channel) as channel,
        coalesce(spend.campaign, acquired.acquisition_campaign) as campaign,
        coalesce(spend.ad_spend_amount, 0) as ad_spend_amount,
        coalesce(spend.fixed_cost_amount, 0) as fixed_cost_amount,
        coalesce(spend.ad_spend_amount, 0)
        + coalesce(spend.fixed_cost_amount, 0) as spend_amount,
        spend.impression_count,
        spend.click_count,
        coalesce(acquired.new_customer_count, 0) as new_customer_count,
        coalesce(acquired.first_purchase_revenue_amount, 0)
            as first_purchase_revenue_amount,
        coalesce(spend.is_mature, acquired.is_mature) as is_mature
    from spend
    full outer join acquired
        on
            spend.spend_month = acquired.cohort_month
            and spend.channel = acquired.acquisition_channel
            and spend.campaign = acquired.acquisition_campaign
),

final as (
    select
        calendar_month,
        channel,
        campaign,
        {{ money('ad_spend_amount') }} as ad_spend_amount,
        {{ money('fixed_cost_amount') }} as fixed_cost_amount,
        {{ money('spend_amount') }} as spend_amount,
        impression_count,
        click_count,
        new_customer_count,
        {{ money('first_purchase_revenue_amount') }} as first_purchase_revenue_amount,
        case
            when spend_amount > 0
                then {{ money(ratio('spend_amount', 'new_customer_count')) }}
        end as cac_amount,
        max(case when spend_amount > 0 then 1 else 0 end)
            over (partition by channel)
        = 1 as is_paid,
        is_mature
    from months
)

select * from final
