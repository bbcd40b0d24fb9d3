-- What each customer will still bring, as of the live cutoff: further purchases, times
-- what one brings in revenue (a mean of the own and everyone's spend, Gamma-Gamma),
-- times how much of the revenue is margin (that of the customer's group: a customer's
-- own few orders say little of it).
with

histories as {{ inlined() }} (
    select
        customer_id,
        acquisition_channel,
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_histories') }}
    where cutoff = 'live'
),

valued as (
    select
        customer_group,
        frequency,
        recency_days,
        age_days,
        champion,
        p_alive_rate,
        purchase_probability_12_months_rate,
        purchases_3_months,
        purchases_6_months,
        purchases_12_months,
        purchases,
        discounted_purchases,
        unseasonal_discounted_purchases,
        discounted_purchases_for_ever,
        log_standard_error
    from {{ ref('int_purchase_histories_valued') }}
),

features as {{ inlined() }} (
    select
        customer_id,
        frequency,
        cast(mean_repeat_amount as {{ type_double() }}) as mean_repeat_amount,
        purchase_revenue_amount,
        margin_amount
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
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

-- like the process, the share of all channels is that of everyone
margins as (
    select
        histories.customer_group,
        features.margin_amount,
        features.purchase_revenue_amount
    from histories
    inner join features on histories.customer_id = features.customer_id
),

margin_shares as (
    select
        customer_group,
        -- who sells at a loss can stop
        greatest(
            0, {{ ratio('sum(margin_amount)', 'sum(purchase_revenue_amount)') }}
        ) as margin_share
    from margins
    where customer_group != 'all channels'
    group by customer_group

    union all

    select
        'all channels' as customer_group,
        greatest(
            0, {{ ratio('sum(margin_amount)', 'sum(purchase_revenue_amount)') }}
        ) as margin_share
    from margins
),

final as (
    select
        histories.customer_id,
        histories.acquisition_channel,
        histories.customer_group,
        valued.champion,
        valued.p_alive_rate,
        valued.purchase_probability_12_months_rate,
        valued.purchases_3_months,
        valued.purchases_6_months,
        valued.purchases_12_months,
        valued.purchases,
        valued.discounted_purchases,
        valued.unseasonal_discounted_purchases,
        valued.discounted_purchases_for_ever,
        {{ gamma_gamma_expected_spend(
            'spends.p', 'spends.q', 'spends.v', 'features.frequency',
            'features.mean_repeat_amount'
        ) }} as expected_spend,
        margin_shares.margin_share,
        -- two parts that were learned apart
        sqrt(
            valued.log_standard_error * valued.log_standard_error
            + {{ gamma_gamma_log_variance(
                'spends.p', 'spends.q', 'spends.v', 'features.frequency',
                'features.mean_repeat_amount', 'spends.p_log_variance',
                'spends.q_log_variance', 'spends.v_log_variance',
                'spends.p_q_log_covariance', 'spends.p_v_log_covariance',
                'spends.q_v_log_covariance'
            ) }}
        ) as log_standard_error
    from histories
    inner join features on histories.customer_id = features.customer_id
    inner join margin_shares
        on histories.customer_group = margin_shares.customer_group
    left join valued
        on
            histories.customer_group = valued.customer_group
            and histories.frequency = valued.frequency
            and histories.recency_days = valued.recency_days
            and histories.age_days = valued.age_days
    left join spends on true
)

select * from final
