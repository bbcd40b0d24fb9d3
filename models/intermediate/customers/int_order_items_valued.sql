-- Each order line in the reporting currency. A line costs what it says, else what its
-- product costs.
with

order_items as (
    select
        order_id,
        line_number,
        product_id,
        quantity,
        unit_price,
        unit_cost
    from {{ ref('stg_shop__order_items') }}
),

-- most orders need no conversion
orders_to_convert as (
    select
        order_id,
        exchange_rate
    from {{ ref('stg_shop__orders') }}
    where exchange_rate != 1
),

products as (
    select
        product_id,
        unit_cost
    from {{ ref('stg_shop__products') }}
),

final as (
    select
        order_items.order_id,
        order_items.line_number,
        order_items.product_id,
        order_items.quantity,
        {{ money(product([
            'order_items.quantity', 'order_items.unit_price',
            'coalesce(orders_to_convert.exchange_rate, 1)',
        ])) }} as line_amount,
        {{ readable_money(
            'coalesce('
            ~ product([
                'order_items.quantity', 'order_items.unit_cost',
                'coalesce(orders_to_convert.exchange_rate, 1)',
            ])
            ~ ', ' ~ product(['order_items.quantity', 'products.unit_cost']) ~ ')'
        ) }} as cost_amount
    from order_items
    left join orders_to_convert on order_items.order_id = orders_to_convert.order_id
    left join products on order_items.product_id = products.product_id
)

select * from final
