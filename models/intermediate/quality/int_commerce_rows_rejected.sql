-- What was not accepted of orders, their lines, products and customers. What is
-- personal of a customer stays in staging.
{{ config(materialized='view') }}

with

orders_of_unknown_customers as (
    select
        'orders' as input_name,
        'quarantined' as row_outcome,
        'customer_id: unknown_customer' as rejection_reasons,
        orders.amount,
        {{ row_content([
            'orders.order_id', 'orders.customer_id', 'orders.ordered_at',
            'orders.amount', 'orders.status', 'orders.discount_amount',
            'orders.refund_amount', 'orders.cost_amount', 'orders.currency',
            'orders.sales_channel', 'orders.updated_at',
        ]) }} as row_content
    from {{ ref('base_shop__orders') }} as orders
    inner join {{ ref('base_shop__orders_of_unknown_customers') }} as strangers
        on orders.order_id = strangers.order_id
    where orders.row_outcome = 'accepted'
),

rejected as (
    {{ rows_not_accepted('orders', amount='amount') }}
    union all
    select
        input_name,
        row_outcome,
        rejection_reasons,
        amount,
        row_content
    from orders_of_unknown_customers
    union all
    {{ rows_not_accepted('order_items', amount=product(['quantity', 'unit_price'])) }}
    union all
    {{ rows_not_accepted('products') }}
    union all
    {{ rows_not_accepted(
        'customers',
        content=without_keys('row_content', ['name', 'email', 'phone', 'birth_date'])
    ) }}
),

final as (
    {{ rows_identified('rejected') }}
)

select * from final
