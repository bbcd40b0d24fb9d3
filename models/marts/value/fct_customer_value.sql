-- What each customer has been worth and will still be worth. The residual value is the
-- discounted margin of the purchases that the champion process expects within the
-- horizon. Nobody is written off: who has been silent for long is worth little because
-- they are probably gone, not because of a threshold. Where no process could be learned
-- (too few customers bought again) the residual is not known: NULL. The two textbook
-- formulae stand beside it for comparison.
with

customers as (
    select
        customer_id,
        cohort_month,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

features as (
    select
        customer_id,
        frequency,
        age_days,
        days_since_last_purchase,
        revenue_amount,
        margin_amount
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
),

churn as (
    select
        customer_id,
        relationship,
        is_churned
    from {{ ref('fct_customer_churn') }}
),

predicted as (
    select
        customer_id,
        champion,
        p_alive_rate,
        purchase_probability_12_months_rate,
        purchases_3_months,
        purchases_6_months,
        purchases_12_months,
        purchases,
        expected_spend,
        expected_spend * margin_share as margin_per_purchase,
        discounted_purchases,
        unseasonal_discounted_purchases,
        discounted_purchases_for_ever,
        log_standard_error
    from {{ ref('int_customer_residuals') }}
),

channel_months as (
    select
        calendar_month,
        channel,
        cac_amount
    from {{ ref('fct_channel_months') }}
),

-- What one unit of margin a month is worth, once per channel: the rate is the same
-- for all of its customers.
multiples as (
    select
        relationship,
        acquisition_channel,
        channel_churn_rate,
        {{ discounted_sum_factor(
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1),
            retention='1 - channel_churn_rate', survival='flat'
        ) }} as classic_multiple,
        {{ discounted_sum_factor(
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1),
            retention='1 - channel_churn_rate', survival='geometric'
        ) }} as geometric_multiple
    from {{ ref('int_channel_churn_rates') }}
),

observed as (
    select
        features.customer_id,
        customers.cohort_month,
        customers.acquisition_channel,
        churn.relationship,
        features.frequency,
        features.days_since_last_purchase,
        features.revenue_amount,
        features.margin_amount,
        -- a customer of a few days would seem to spend a fortune a month
        greatest(1, {{ ratio('features.age_days * 12', '365.25') }}) as age_months,
        churn.is_churned
    from features
    inner join customers on features.customer_id = customers.customer_id
    inner join churn on features.customer_id = churn.customer_id
),

paced as (
    select
        observed.customer_id,
        observed.cohort_month,
        observed.acquisition_channel,
        observed.relationship,
        observed.frequency,
        observed.days_since_last_purchase,
        observed.age_months,
        observed.revenue_amount,
        observed.margin_amount,
        observed.is_churned,
        {{ money(ratio('observed.margin_amount', 'observed.age_months')) }}
            as mean_monthly_margin_amount
    from observed
),

projected as (
    select
        paced.customer_id,
        paced.cohort_month,
        paced.acquisition_channel,
        paced.relationship,
        paced.frequency,
        paced.days_since_last_purchase,
        paced.age_months,
        paced.revenue_amount,
        paced.margin_amount,
        paced.mean_monthly_margin_amount,
        paced.is_churned,
        multiples.channel_churn_rate,
        {{ money('paced.mean_monthly_margin_amount * multiples.classic_multiple') }}
            as classic_clv_amount,
        {{ money('paced.mean_monthly_margin_amount * multiples.geometric_multiple') }}
            as geometric_clv_amount
    from paced
    left join multiples
        on
            paced.relationship = multiples.relationship
            and paced.acquisition_channel = multiples.acquisition_channel
),

residual as (
    select
        projected.*,
        predicted.champion,
        predicted.p_alive_rate,
        predicted.purchase_probability_12_months_rate,
        predicted.purchases_3_months,
        predicted.purchases_6_months,
        predicted.purchases_12_months,
        predicted.purchases,
        {{ money('predicted.expected_spend') }} as expected_spend_amount,
        {{ money('predicted.purchases_3_months * predicted.margin_per_purchase') }}
            as expected_margin_3_months_amount,
        {{ money('predicted.purchases_6_months * predicted.margin_per_purchase') }}
            as expected_margin_6_months_amount,
        {{ money('predicted.purchases_12_months * predicted.margin_per_purchase') }}
            as expected_margin_12_months_amount,
        {{ money('predicted.purchases * predicted.margin_per_purchase') }}
            as expected_margin_horizon_amount,
        {{ money('predicted.discounted_purchases * predicted.margin_per_purchase') }}
            as residual_value_amount,
        {{ money(
            'predicted.unseasonal_discounted_purchases * predicted.margin_per_purchase'
        ) }} as residual_value_uncorrected_amount,
        {{ money(
            'predicted.discounted_purchases_for_ever * predicted.margin_per_purchase'
        ) }} as residual_value_for_ever_amount,
        predicted.log_standard_error as residual_log_standard_error
    from projected
    left join predicted on projected.customer_id = predicted.customer_id
),

lifetime as (
    select
        residual.*,
        {{ money('residual.margin_amount + residual.residual_value_amount') }}
            as lifetime_value_amount
    from residual
),

costed as (
    select
        lifetime.*,
        channel_months.cac_amount
    from lifetime
    left join channel_months
        on
            lifetime.cohort_month = channel_months.calendar_month
            and lifetime.acquisition_channel = channel_months.channel
),

final as (
    select
        customer_id,
        cohort_month,
        acquisition_channel,
        relationship,
        case when residual_value_amount is not null then champion end
            as value_method,
        {{ value_tier('residual_value_amount') }} as value_tier,
        frequency,
        days_since_last_purchase,
        age_months,
        {{ money('revenue_amount') }} as historic_revenue_amount,
        {{ money('margin_amount') }} as historic_margin_amount,
        mean_monthly_margin_amount,
        channel_churn_rate,
        classic_clv_amount,
        geometric_clv_amount,
        p_alive_rate,
        purchase_probability_12_months_rate,
        purchases_3_months as expected_purchases_3_months,
        purchases_6_months as expected_purchases_6_months,
        purchases_12_months as expected_purchases_12_months,
        purchases as expected_purchases_horizon,
        expected_spend_amount,
        expected_margin_3_months_amount,
        expected_margin_6_months_amount,
        expected_margin_12_months_amount,
        expected_margin_horizon_amount,
        residual_value_amount,
        {{ log_normal_bound(
            'residual_value_amount', 'residual_log_standard_error', '80', 'lower'
        ) }} as residual_value_80_lower_amount,
        {{ log_normal_bound(
            'residual_value_amount', 'residual_log_standard_error', '80', 'upper'
        ) }} as residual_value_80_upper_amount,
        {{ log_normal_bound(
            'residual_value_amount', 'residual_log_standard_error', '95', 'lower'
        ) }} as residual_value_95_lower_amount,
        {{ log_normal_bound(
            'residual_value_amount', 'residual_log_standard_error', '95', 'upper'
        ) }} as residual_value_95_upper_amount,
        residual_value_uncorrected_amount,
        residual_value_for_ever_amount,
        lifetime_value_amount,
        -- who cost more than came in has no share, or shares would not be fractions
        case when lifetime_value_amount is not null then
            {{ ratio(
                'greatest(lifetime_value_amount, 0)',
                'sum(greatest(lifetime_value_amount, 0)) over (partition by '
                ~ 'lifetime_value_amount is null)'
            ) }}
        end as share_of_total_rate,
        cac_amount,
        {{ ratio('lifetime_value_amount', 'cac_amount') }} as value_to_cac,
        is_churned
    from costed
)

select * from final
