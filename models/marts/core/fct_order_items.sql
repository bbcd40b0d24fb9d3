-- A line without a cost of its own has its order's margin rate. Lines of an order that
-- is not known (yet) wait for it.
with

order_items as (
    select
        order_id,
        line_number,
        product_id,
        quantity,
        line_amount,
        cost_amount
    from {{ ref('int_order_items_valued') }}
),

orders as (
    select
        order_id,
        customer_id,
        order_date,
        order_month,
        order_state,
        -- what the order's own cost leaves of its amount; else the setting
        coalesce(
            {{ ratio('order_amount - cost_amount', 'order_amount') }},
            {{ setting_number('default_margin_rate', minimum=0, maximum=1) }}
        ) as margin_rate
    from {{ ref('fct_orders') }}
),

products as (
    select
        product_id,
        category
    from {{ ref('dim_products') }}
),

final as (
    select
        order_items.order_id,
        order_items.line_number,
        order_items.product_id,
        orders.customer_id,
        orders.order_date,
        orders.order_month,
        orders.order_state,
        coalesce(products.category, 'unknown') as category,
        order_items.quantity,
        order_items.line_amount,
        order_items.cost_amount,
        {{ money(
            'coalesce(order_items.line_amount - order_items.cost_amount, '
            ~ product(['order_items.line_amount', 'orders.margin_rate']) ~ ')'
        ) }} as margin_amount
    from order_items
    inner join orders on order_items.order_id = orders.order_id
    left join products on order_items.product_id = products.product_id
)

select * from final
