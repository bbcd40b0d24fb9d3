with

products as (
    select
        product_id,
        product_name,
        category,
        unit_cost
    from {{ ref('stg_shop__products') }}
),

final as (
    select
        product_id,
        product_name,
        coalesce(category, 'unknown') as category,
        unit_cost as unit_cost_amount
    from products
)

select * from final
