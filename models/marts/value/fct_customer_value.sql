-- What each customer has been worth and may still be worth. Two textbook formulae stand
-- in for a model of the purchase process: the classic one, which takes the same loss
-- off every month, and the geometric one, in which customers leave month by month.
-- The residual is the geometric value, nothing for the churned, and never negative.
-- Without a churn rate (too few customer-months to measure one) it is not known: NULL.
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
        age_days,
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
        case
            when projected.is_churned or projected.geometric_clv_amount < 0
                then {{ money('0') }}
            else projected.geometric_clv_amount
        end as residual_value_amount
    from projected
),

lifetime as (
    select
        residual.*,
        {{ money('residual.margin_amount + residual.residual_value_amount') }}
            as lifetime_value_amount
    from residual
),

final as (
    select
        customer_id,
        cohort_month,
        acquisition_channel,
        relationship,
        'classic_geometric' as value_method,
        {{ value_tier('residual_value_amount') }} as value_tier,
        age_months,
        {{ money('revenue_amount') }} as historic_revenue_amount,
        {{ money('margin_amount') }} as historic_margin_amount,
        mean_monthly_margin_amount,
        channel_churn_rate,
        classic_clv_amount,
        geometric_clv_amount,
        residual_value_amount,
        lifetime_value_amount,
        -- who cost more than came in has no share, or shares would not be fractions
        case when lifetime_value_amount is not null then
            {{ ratio(
                'greatest(lifetime_value_amount, 0)',
                'sum(greatest(lifetime_value_amount, 0)) over (partition by '
                ~ 'lifetime_value_amount is null)'
            ) }}
        end as share_of_total_rate,
        is_churned
    from lifetime
)

select * from final
