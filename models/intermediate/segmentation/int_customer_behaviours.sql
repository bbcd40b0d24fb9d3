-- How each customer has behaved by the evening of the live cutoff. The favourite
-- category is the one that took most of the customer's money in completed orders; of
-- equal ones the first by name. Retained is who bought in the window before the train
-- cutoff and again in the window after it; who did not buy in the first is not asked.
with

stages as (
    select
        customer_id,
        stage
    from {{ ref('int_customer_stages') }}
    where cutoff = 'live'
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

clusters as (
    select
        customer_id,
        cluster_number,
        cluster_name
    from {{ ref('int_customer_clusters') }}
),

features as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        recent_purchase_count
    from {{ ref('int_customer_features') }}
    where cutoff in ('train', 'live') and recent_purchase_count > 0
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
        stages.customer_id,
        stages.stage,
        rfm.rfm_segment,
        rfm.rfm_score,
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
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        rfm.days_since_last_purchase,
        coalesce(rfm.purchase_count, 0) as purchase_count,
        case
            when earlier.customer_id is not null then later.customer_id is not null
        end as is_retained
    from stages
    left join rfm on stages.customer_id = rfm.customer_id
    left join clusters on stages.customer_id = clusters.customer_id
    left join favourites on stages.customer_id = favourites.customer_id
    left join features as earlier
        on stages.customer_id = earlier.customer_id and earlier.cutoff = 'train'
    left join features as later
        on stages.customer_id = later.customer_id and later.cutoff = 'live'
)

select * from final
