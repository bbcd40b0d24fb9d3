-- The three products to recommend to each customer now: those with the largest expected
-- margin within the next three months, P x R, among what the customer did not buy
-- lately (int_products_recommended says how it is worked out).
with

recommended as (
    select
        customer_id,
        product_rank,
        product_id,
        category,
        product_purchase_count,
        category_purchase_count,
        days_since_product_purchase,
        product_probability_rate,
        margin_if_bought_amount,
        expected_product_margin_amount
    from {{ ref('int_products_recommended') }}
    where cutoff = 'live' and recommendation_method = 'recommended'
),

products as (
    select
        product_id,
        usual_gap_days
    from {{ ref('int_product_rates') }}
    where cutoff = 'live'
),

final as (
    select
        recommended.customer_id,
        recommended.product_rank,
        recommended.product_id,
        recommended.category,
        case
            when recommended.product_purchase_count > 0 then 'bought before'
            when recommended.category_purchase_count > 0
                then 'popular in a category bought'
            else 'popular in the shop'
        end as recommendation_reason,
        recommended.product_purchase_count,
        recommended.days_since_product_purchase,
        products.usual_gap_days,
        recommended.product_probability_rate,
        recommended.margin_if_bought_amount,
        recommended.expected_product_margin_amount
    from recommended
    inner join products on recommended.product_id = products.product_id
)

select * from final
