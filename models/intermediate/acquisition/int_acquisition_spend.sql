-- What was paid for new customers by the live cutoff: what the ad platforms reported,
-- and the costs that they don't know of (fees, salaries), which the user lists in
-- seeds/reference/fixed_costs.csv. Those belong to a channel but to no campaign, and
-- stand as the campaign `fixed costs`; without a channel they are `unassigned`.
with

live as (
    select
        cutoff_date,
        -- the first month whose end has not been seen
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

marketing_spend as (
    select
        spend_date,
        channel,
        campaign,
        amount,
        impressions,
        clicks
    from {{ ref('stg_shop__marketing_spend') }}
),

fixed_costs as (
    select
        {{ month_start('cost_month') }} as spend_month,
        channel,
        amount
    from {{ ref('fixed_costs') }}
),

costs as (
    select
        {{ month_start('marketing_spend.spend_date') }} as spend_month,
        marketing_spend.channel,
        coalesce(marketing_spend.campaign, 'unknown') as campaign,
        marketing_spend.amount as ad_spend_amount,
        0 as fixed_cost_amount,
        marketing_spend.impressions,
        marketing_spend.clicks,
        live.first_open_month
    from marketing_spend
    inner join live on marketing_spend.spend_date <= live.cutoff_date

    union all

    select
        fixed_costs.spend_month,
        coalesce(fixed_costs.channel, 'unassigned') as channel,
        'fixed costs' as campaign,
        0 as ad_spend_amount,
        fixed_costs.amount as fixed_cost_amount,
        {{ money('null') }} as impressions,
        {{ money('null') }} as clicks,
        live.first_open_month
    from fixed_costs
    inner join live on fixed_costs.spend_month <= live.cutoff_date
),

final as (
    select
        spend_month,
        channel,
        campaign,
        {{ money('sum(ad_spend_amount)') }} as ad_spend_amount,
        {{ money('sum(fixed_cost_amount)') }} as fixed_cost_amount,
        cast(sum(impressions) as bigint) as impression_count,
        cast(sum(clicks) as bigint) as click_count,
        spend_month < first_open_month as is_mature
    from costs
    group by spend_month, channel, campaign, first_open_month
)

select * from final
