-- The segments of each kind in which a customer stands on the evening of the live
-- cutoff. The favourite category is the one that took most of the customer's money in
-- completed orders; of equal ones the first by name.
with

customers as (
    select
        customer_id,
        acquisition_channel,
        country,
        region,
        gender,
        age_band,
        income_band,
        lifestyle
    from {{ ref('dim_customers') }}
),

rfm as (
    select
        customer_id,
        rfm_segment,
        rfm_score,
        recency_score,
        frequency_score,
        monetary_score,
        days_since_last_purchase,
        purchase_count
    from {{ ref('int_customer_rfm') }}
    where cutoff = 'live'
),

customer_values as (
    select
        customer_id,
        value_tier,
        historic_revenue_amount,
        historic_margin_amount,
        mean_monthly_margin_amount,
        channel_churn_rate,
        lifetime_value_amount
    from {{ ref('fct_customer_value') }}
),

churn as (
    select
        customer_id,
        churn_state
    from {{ ref('fct_customer_churn') }}
),

clusters as (
    select
        customer_id,
        cluster_number,
        cluster_name
    from {{ ref('int_customer_clusters') }}
),

categories as (
    select
        customer_id,
        category,
        sum(line_amount) as spent_amount
    from {{ ref('fct_order_items') }}
    where
        order_state = 'completed'
        and customer_id is not null
        and category != 'unknown'
    group by customer_id, category
    having sum(line_amount) > 0
),

ranked_categories as (
    select
        customer_id,
        category,
        row_number() over (
            partition by customer_id order by spent_amount desc, category asc
        ) as category_rank
    from categories
),

favourites as (
    select
        customer_id,
        category as favourite_category
    from ranked_categories
    where category_rank = 1
),

final as (
    select
        customers.customer_id,
        rfm.rfm_segment,
        rfm.rfm_score,
        customer_values.value_tier,
        churn.churn_state,
        clusters.cluster_number,
        clusters.cluster_name,
        case
            when rfm.customer_id is null then 'never'
            when rfm.purchase_count = 1 then 'once'
            when rfm.purchase_count = 2 then 'twice'
            when rfm.purchase_count <= 5 then '3-5 times'
            else '6 times or more'
        end as purchase_frequency,
        favourites.favourite_category,
        customers.acquisition_channel,
        customers.country,
        customers.region,
        customers.gender,
        customers.age_band,
        customers.income_band,
        customers.lifestyle,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.days_since_last_purchase,
        coalesce(rfm.purchase_count, 0) as purchase_count,
        customer_values.historic_revenue_amount,
        customer_values.historic_margin_amount,
        customer_values.mean_monthly_margin_amount,
        customer_values.channel_churn_rate,
        customer_values.lifetime_value_amount
    from customers
    left join rfm on customers.customer_id = rfm.customer_id
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join churn on customers.customer_id = churn.customer_id
    left join clusters on customers.customer_id = clusters.customer_id
    left join favourites on customers.customer_id = favourites.customer_id
)

select * from final
