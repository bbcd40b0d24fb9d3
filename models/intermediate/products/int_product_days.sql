-- The days on which a customer bought a product. Only completed orders count, and of
-- them what was sold (no returns, no gifts) and not sent back in full. An order's
-- refund is spread over its lines by amount.
with

-- most orders are kept as they are
orders_reduced as (
    select
        order_id,
        coalesce({{ ratio('refund_amount', 'order_amount') }}, 0) as refund_rate,
        revenue_amount
    from {{ ref('fct_orders') }}
    where refund_amount != 0 or revenue_amount <= 0
),

items as (
    select
        order_id,
        customer_id,
        order_date,
        product_id,
        category,
        line_amount,
        cost_amount,
        margin_amount
    from {{ ref('fct_order_items') }}
    where
        order_state = 'completed'
        and customer_id is not null
        and quantity > 0
        and line_amount > 0
),

final as (
    select
        items.customer_id,
        items.order_date as purchase_date,
        items.product_id,
        items.category,
        -- without a cost, margin is a share of the revenue and shrinks with it
        sum({{ money(
            'items.margin_amount - coalesce(orders_reduced.refund_rate, 0)'
            ~ ' * case when items.cost_amount is null then items.margin_amount'
            ~ ' else items.line_amount end'
        ) }}) as margin_amount
    from items
    left join orders_reduced on items.order_id = orders_reduced.order_id
    where coalesce(orders_reduced.revenue_amount > 0, true)
    group by
        items.customer_id, items.order_date, items.product_id, items.category
)

select * from final
