-- What was not accepted of orders, their lines, products and customers. What is
-- personal of a customer stays in staging.
{{ config(materialized='view') }}

with

orders_of_unknown_customers as (
    select
        'orders' as input_name,
        'quarantined' as row_outcome,
        'customer_id: unknown_customer' as rejection_reasons,
        amount,
        {{ row_content([
            'order_id', 'customer_id', 'ordered_at', 'amount', 'status',
            'discount_amount', 'refund_amount', 'cost_amount', 'currency',
            'sales_channel', 'updated_at',
        ]) }} as row_content
    from {{ ref('base_shop__orders') }}
    where
        row_outcome = 'accepted'
        and order_id in (
            select order_id
            from {{ ref('base_shop__orders_of_unknown_customers') }}
        )
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
