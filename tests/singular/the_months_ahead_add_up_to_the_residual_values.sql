-- Discounted, the expected margins of the months are the residual values of the
-- customers: they come another way, month by month over histories, to the same sum. It
-- may differ by what the values were rounded by, half a hundredth of a cent each.
with

months as (
    select
        channel_shown,
        tier_shown,
        {{ discounted_sum_over_periods(
            'expected_margin',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            'period_number', timing='mid'
        ) }} as present_margin
    from {{ ref('int_value_months') }}
    group by channel_shown, tier_shown
),

tiers as (
    select
        acquisition_channel,
        value_tier,
        channel_shown,
        tier_shown
    from {{ ref('int_channel_tiers') }}
),

customer_values as (
    select
        tiers.channel_shown,
        tiers.tier_shown,
        count(*) as customer_count,
        sum(customer_values.residual_value_amount) as residual_value_amount
    from {{ ref('fct_customer_value') }} as customer_values
    inner join tiers
        on
            customer_values.acquisition_channel = tiers.acquisition_channel
            and customer_values.value_tier = tiers.value_tier
    where customer_values.residual_value_amount is not null
    group by tiers.channel_shown, tiers.tier_shown
),

final as (
    select
        customer_values.channel_shown,
        customer_values.tier_shown,
        months.present_margin,
        customer_values.residual_value_amount
    from customer_values
    full join months
        on
            customer_values.channel_shown = months.channel_shown
            and customer_values.tier_shown = months.tier_shown
    where
        months.present_margin is null
        or customer_values.residual_value_amount is null
        or abs(months.present_margin - customer_values.residual_value_amount)
        > 0.0001 * customer_values.customer_count
        + 1e-6 * customer_values.residual_value_amount
)

select * from final
