-- The segments of each kind in which a customer stands on the evening of the live
-- cutoff. Of several interests the one named first is the main one.
with

customers as (
    select
        customer_id,
        cohort_month,
        acquisition_channel,
        country,
        region,
        city,
        gender,
        age_band,
        income_band,
        lifestyle,
        nullif(trim({{ dbt.split_part('interests', "';'", 1) }}), '') as main_interest
    from {{ ref('dim_customers') }}
),

behaviours as (
    select
        customer_id,
        stage,
        rfm_segment,
        rfm_score,
        cluster_number,
        cluster_name,
        purchase_frequency,
        favourite_category,
        recency_score,
        frequency_score,
        monetary_score,
        days_since_last_purchase,
        purchase_count,
        is_retained
    from {{ ref('int_customer_behaviours') }}
),

customer_values as (
    select
        customer_id,
        value_tier,
        historic_revenue_amount,
        historic_margin_amount,
        mean_monthly_margin_amount,
        channel_churn_rate,
        residual_value_amount,
        lifetime_value_amount
    from {{ ref('fct_customer_value') }}
),

churn as (
    select
        customer_id,
        churn_state,
        churn_probability_rate
    from {{ ref('fct_customer_churn') }}
),

satisfaction as (
    select
        customer_id,
        latest_score
    from {{ ref('int_customer_satisfaction') }}
),

final as (
    select
        customers.customer_id,
        customers.cohort_month,
        behaviours.stage,
        behaviours.rfm_segment,
        behaviours.rfm_score,
        customer_values.value_tier,
        churn.churn_state,
        behaviours.cluster_number,
        behaviours.cluster_name,
        behaviours.purchase_frequency,
        behaviours.favourite_category,
        customers.acquisition_channel,
        customers.country,
        customers.region,
        customers.city,
        customers.gender,
        customers.age_band,
        customers.income_band,
        customers.lifestyle,
        customers.main_interest,
        behaviours.recency_score,
        behaviours.frequency_score,
        behaviours.monetary_score,
        behaviours.days_since_last_purchase,
        behaviours.purchase_count,
        customer_values.historic_revenue_amount,
        customer_values.historic_margin_amount,
        customer_values.mean_monthly_margin_amount,
        customer_values.channel_churn_rate,
        customer_values.residual_value_amount,
        customer_values.lifetime_value_amount,
        churn.churn_probability_rate,
        satisfaction.latest_score,
        behaviours.is_retained
    from customers
    left join behaviours on customers.customer_id = behaviours.customer_id
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join churn on customers.customer_id = churn.customer_id
    left join satisfaction on customers.customer_id = satisfaction.customer_id
)

select * from final
