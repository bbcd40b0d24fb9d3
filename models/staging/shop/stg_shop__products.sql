with

final as (
    select
        product_id,
        product_name,
        category,
        unit_cost
    from {{ ref('base_shop__products') }}
    where row_outcome = 'accepted'
)

select * from final
