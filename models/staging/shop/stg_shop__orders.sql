with

orders as (
    select
        order_id,
        customer_id,
        ordered_at,
        amount,
        status,
        discount_amount,
        refund_amount,
        cost_amount,
        currency,
        sales_channel,
        updated_at,
        exchange_rate
    from {{ ref('base_shop__orders') }}
    where row_outcome = 'accepted'
),

orders_of_unknown_customers as (
    select order_id
    from {{ ref('base_shop__orders_of_unknown_customers') }}
),

final as (
    select orders.*
    from orders
    left join orders_of_unknown_customers
        on orders.order_id = orders_of_unknown_customers.order_id
    where orders_of_unknown_customers.order_id is null
)

select * from final
