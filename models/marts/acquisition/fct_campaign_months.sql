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
        click_count
    from {{ ref('int_acquisition_spend') }}
),

acquired as (
    select
        cohort_month,
        acquisition_channel,
        acquisition_campaign,
        new_customer_count,
        first_purchase_revenue_amount
    from {{ ref('int_customers_acquired') }}
),

live as (
    -- the first month whose end has not been seen
    select {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
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
            as first_purchase_revenue_amount
    from spend
    full outer join acquired
        on
            spend.spend_month = acquired.cohort_month
            and spend.channel = acquired.acquisition_channel
            and spend.campaign = acquired.acquisition_campaign
),

final as (
    select
        months.calendar_month,
        months.channel,
        months.campaign,
        {{ money('months.ad_spend_amount') }} as ad_spend_amount,
        {{ money('months.fixed_cost_amount') }} as fixed_cost_amount,
        {{ money('months.spend_amount') }} as spend_amount,
        months.impression_count,
        months.click_count,
        months.new_customer_count,
        {{ money('months.first_purchase_revenue_amount') }}
            as first_purchase_revenue_amount,
        case
            when months.spend_amount > 0
                then {{ money(
                    ratio('months.spend_amount', 'months.new_customer_count')
                ) }}
        end as cac_amount,
        max(case when months.spend_amount > 0 then 1 else 0 end)
            over (partition by months.channel)
        = 1 as is_paid,
        months.calendar_month < live.first_open_month as is_mature
    from months
    cross join live
)

select * from final
