with

final as (
    select
        order_id,
        line_number,
        product_id,
        quantity,
        unit_price,
        unit_cost
    from {{ ref('base_shop__order_items') }}
    where row_outcome = 'accepted'
)

select * from final
