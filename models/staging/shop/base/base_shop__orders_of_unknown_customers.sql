-- An order of someone whom the shop does not know is quarantined, but only where the
-- shop delivers its customers and says that they are all there.
with

orders as (
    select
        order_id,
        customer_id
    from {{ ref('base_shop__orders') }}
    where row_outcome = 'accepted'
),

customers as (
    select customer_id
    from {{ ref('base_shop__customers') }}
    -- a customer whose row was quarantined is known all the same
    where customer_id is not null
),

final as (
    select orders.order_id
    from orders
    where
        {{ setting_choice('customers_is_complete', [true, false]) | lower }}
        and orders.customer_id is not null
        and exists (select 1 from customers)
        and not exists (
            select 1 from customers
            where customers.customer_id = orders.customer_id
        )
)

select * from final
