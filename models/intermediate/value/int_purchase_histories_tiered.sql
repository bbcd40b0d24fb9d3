-- What a further purchase brings from all customers of a channel and tier who have the
-- same history: from here on customers need not be told apart. Channels and tiers are
-- those that may be shown.
with

customer_values as (
    select
        customer_id,
        value_tier
    from {{ ref('fct_customer_value') }}
    where residual_value_amount is not null
),

tiers as (
    select
        acquisition_channel,
        value_tier,
        channel_shown,
        tier_shown
    from {{ ref('int_channel_tiers') }}
),

histories as (
    select
        customer_id,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_histories') }}
    where cutoff = 'live'
),

residuals as (
    select
        customer_id,
        acquisition_channel,
        customer_group,
        -- a decimal: its sum does not depend on the order of the rows
        cast(expected_spend * margin_share as decimal(38, 12)) as margin_per_purchase
    from {{ ref('int_customer_residuals') }}
),

final as (
    select
        tiers.channel_shown,
        tiers.tier_shown,
        residuals.customer_group,
        histories.frequency,
        histories.recency_days,
        histories.age_days,
        count(*) as customer_count,
        sum(residuals.margin_per_purchase) as margin_per_purchase
    from residuals
    inner join customer_values on residuals.customer_id = customer_values.customer_id
    inner join histories on residuals.customer_id = histories.customer_id
    inner join tiers
        on
            residuals.acquisition_channel = tiers.acquisition_channel
            and customer_values.value_tier = tiers.value_tier
    group by
        tiers.channel_shown,
        tiers.tier_shown,
        residuals.customer_group,
        histories.frequency,
        histories.recency_days,
        histories.age_days
)

select * from final
