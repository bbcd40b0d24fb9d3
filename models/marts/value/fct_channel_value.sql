-- What a channel's customers are worth, and what the next one may cost. A new customer
-- brings the margin of a first purchase (the mean of the last twelve complete months'
-- newcomers) and, from the next day on, what the channel's process expects of someone
-- who has just bought for the first time. Paying that much for one breaks even within
-- the horizon. A channel too small for a process of its own is judged by that of all.
with

customer_values as (
    select
        customer_id,
        acquisition_channel,
        residual_value_amount,
        residual_value_80_lower_amount,
        residual_value_80_upper_amount,
        residual_value_95_lower_amount,
        residual_value_95_upper_amount,
        lifetime_value_amount
    from {{ ref('fct_customer_value') }}
),

residuals as (
    select
        customer_id,
        acquisition_channel,
        customer_group,
        margin_share
    from {{ ref('int_customer_residuals') }}
),

newcomers as (
    select
        customer_group,
        champion,
        purchases_12_months,
        purchases,
        discounted_purchases,
        log_standard_error
    from {{ ref('int_purchase_histories_valued') }}
    where frequency = 0 and recency_days = 0 and age_days = 0
),

spends as (
    select
        p,
        q,
        v,
        p_log_variance,
        q_log_variance,
        v_log_variance,
        p_q_log_covariance,
        p_v_log_covariance,
        q_v_log_covariance
    from {{ ref('ml_spend_process') }}
    where cutoff = 'live'
),

live as (
    -- the first month whose end has not been seen
    select {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

channel_months as (
    select
        calendar_month,
        channel,
        spend_amount,
        new_customer_count,
        first_purchase_revenue_amount
    from {{ ref('fct_channel_months') }}
),

last_year as (
    select
        channel_months.channel,
        sum(channel_months.spend_amount) as spend_amount,
        sum(channel_months.new_customer_count) as new_customer_count,
        sum(channel_months.first_purchase_revenue_amount)
            as first_purchase_revenue_amount
    from channel_months
    cross join live
    where
        channel_months.calendar_month < live.first_open_month
        and channel_months.calendar_month
        >= {{ add_months('live.first_open_month', -12) }}
    group by channel_months.channel
),

channels as (
    select
        residuals.acquisition_channel,
        residuals.customer_group,
        residuals.margin_share,
        count(*) as customer_count,
        sum(customer_values.residual_value_amount) as residual_value_amount,
        sum(customer_values.residual_value_80_lower_amount) as lower_80_amount,
        sum(customer_values.residual_value_80_upper_amount) as upper_80_amount,
        sum(customer_values.residual_value_95_lower_amount) as lower_95_amount,
        sum(customer_values.residual_value_95_upper_amount) as upper_95_amount,
        sum(customer_values.lifetime_value_amount) as lifetime_value_amount
    from residuals
    inner join customer_values on residuals.customer_id = customer_values.customer_id
    group by
        residuals.acquisition_channel,
        residuals.customer_group,
        residuals.margin_share
),

newcomer_values as (
    select
        channels.acquisition_channel,
        newcomers.champion,
        newcomers.purchases_12_months,
        newcomers.purchases,
        newcomers.discounted_purchases * channels.margin_share
        * {{ gamma_gamma_expected_spend(
            'spends.p', 'spends.q', 'spends.v', 0, 'null'
        ) }}
            as repeat_value,
        sqrt(
            newcomers.log_standard_error * newcomers.log_standard_error
            + {{ gamma_gamma_log_variance(
                'spends.p', 'spends.q', 'spends.v', 0, 'null',
                'spends.p_log_variance', 'spends.q_log_variance',
                'spends.v_log_variance', 'spends.p_q_log_covariance',
                'spends.p_v_log_covariance', 'spends.q_v_log_covariance'
            ) }}
        ) as log_standard_error
    from channels
    inner join newcomers on channels.customer_group = newcomers.customer_group
    cross join spends
),

costed as (
    select
        channels.*,
        last_year.spend_amount,
        coalesce(last_year.new_customer_count, 0) as new_customer_count,
        newcomer_values.champion,
        newcomer_values.purchases_12_months,
        newcomer_values.purchases,
        {{ money(ratio(
            'last_year.first_purchase_revenue_amount * channels.margin_share',
            'last_year.new_customer_count'
        )) }} as first_purchase_margin_amount,
        {{ money('newcomer_values.repeat_value') }} as repeat_value_amount,
        newcomer_values.log_standard_error,
        case
            when last_year.spend_amount > 0
                then {{ money(ratio(
                    'last_year.spend_amount', 'last_year.new_customer_count'
                )) }}
        end as cac_amount
    from channels
    left join last_year on channels.acquisition_channel = last_year.channel
    left join newcomer_values
        on channels.acquisition_channel = newcomer_values.acquisition_channel
),

final as (
    select
        acquisition_channel,
        customer_group,
        champion as value_method,
        cast(customer_count as bigint) as customer_count,
        {{ money('residual_value_amount') }} as residual_value_amount,
        {{ money('lower_80_amount') }} as residual_value_80_lower_amount,
        {{ money('upper_80_amount') }} as residual_value_80_upper_amount,
        {{ money('lower_95_amount') }} as residual_value_95_lower_amount,
        {{ money('upper_95_amount') }} as residual_value_95_upper_amount,
        {{ money('lifetime_value_amount') }} as lifetime_value_amount,
        cast(new_customer_count as bigint) as new_customer_count,
        {{ money('spend_amount') }} as spend_amount,
        cac_amount,
        purchases_12_months as newcomer_purchases_12_months,
        purchases as newcomer_purchases_horizon,
        first_purchase_margin_amount,
        repeat_value_amount as newcomer_repeat_value_amount,
        {{ money('first_purchase_margin_amount + repeat_value_amount') }}
            as newcomer_value_amount,
        {{ money(
            'first_purchase_margin_amount + ' ~ log_normal_bound(
                'repeat_value_amount', 'log_standard_error', '80', 'lower'
            )
        ) }} as newcomer_value_80_lower_amount,
        {{ money(
            'first_purchase_margin_amount + ' ~ log_normal_bound(
                'repeat_value_amount', 'log_standard_error', '80', 'upper'
            )
        ) }} as newcomer_value_80_upper_amount,
        {{ money(
            'first_purchase_margin_amount + ' ~ log_normal_bound(
                'repeat_value_amount', 'log_standard_error', '95', 'lower'
            )
        ) }} as newcomer_value_95_lower_amount,
        {{ money(
            'first_purchase_margin_amount + ' ~ log_normal_bound(
                'repeat_value_amount', 'log_standard_error', '95', 'upper'
            )
        ) }} as newcomer_value_95_upper_amount,
        {{ ratio('first_purchase_margin_amount + repeat_value_amount', 'cac_amount') }}
            as newcomer_value_to_cac
    from costed
)

select * from final
