-- Under which name the customers of a channel and tier may be shown: no row of a table
-- by channel and tier may speak of a person. A channel's tiers with too few customers
-- go to 'other', with its next smallest where they are too few together: else the
-- channel's total less its other tiers would still tell. Where all that is in 'other'
-- are too few, the shop's smallest goes there as well, for the same reason.
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}

with

customer_values as (
    select
        acquisition_channel,
        value_tier
    from {{ ref('fct_customer_value') }}
    where residual_value_amount is not null
),

counted as (
    select
        acquisition_channel,
        value_tier,
        count(*) as customer_count
    from customer_values
    group by acquisition_channel, value_tier
),

queued_in_channels as (
    select
        counted.*,
        sum(counted.customer_count) over (
            partition by counted.acquisition_channel
            order by counted.customer_count, counted.value_tier
            rows between unbounded preceding and 1 preceding
        ) as customers_before_count
    from counted
),

small_in_channels as (
    select
        acquisition_channel,
        value_tier,
        customer_count,
        customer_count < {{ minimum }}
        or coalesce(customers_before_count < {{ minimum }}, false) as is_small
    from queued_in_channels
),

queued as (
    select
        small_in_channels.*,
        sum(small_in_channels.customer_count) over (
            order by
                case when small_in_channels.is_small then 0 else 1 end,
                small_in_channels.customer_count,
                small_in_channels.acquisition_channel,
                small_in_channels.value_tier
            rows between unbounded preceding and 1 preceding
        ) as customers_before_count
    from small_in_channels
),

named as (
    select
        acquisition_channel,
        value_tier,
        customer_count,
        is_small or coalesce(customers_before_count < {{ minimum }}, false) as is_merged
    from queued
),

final as (
    select
        acquisition_channel,
        value_tier,
        case when is_merged then 'other' else acquisition_channel end as channel_shown,
        case when is_merged then 'other' else value_tier end as tier_shown,
        cast(customer_count as bigint) as customer_count,
        is_merged
    from named
)

select * from final
