-- How many raw rows of orders, their lines, products and customers ended where, the
-- accepted ones by day, and how much money they speak of (orders in their own
-- currency).
with

orders_of_unknown_customers as (
    select
        cast(orders.ordered_at as date) as row_date,
        count(*) as row_count,
        {{ money('coalesce(sum(orders.amount), 0)') }} as amount
    from {{ ref('base_shop__orders') }} as orders
    inner join {{ ref('base_shop__orders_of_unknown_customers') }} as strangers
        on orders.order_id = strangers.order_id
    where orders.row_outcome = 'accepted'
    group by cast(orders.ordered_at as date)
),

moved as (
    select
        'orders' as input_name,
        'accepted' as row_outcome,
        row_date,
        -row_count as row_count,
        -amount as amount
    from orders_of_unknown_customers

    union all

    select
        'orders' as input_name,
        'quarantined' as row_outcome,
        cast(null as date) as row_date,
        row_count,
        amount
    from orders_of_unknown_customers
),

counted as (
    {{ rows_counted('orders', amount='amount', date='ordered_at') }}
    union all
    select
        input_name,
        row_outcome,
        row_date,
        row_count,
        amount
    from moved
    union all
    {{ rows_counted('order_items', amount=product(['quantity', 'unit_price'])) }}
    union all
    {{ rows_counted('products') }}
    union all
    {{ rows_counted('customers', date='created_at') }}
),

final as (
    select
        input_name,
        row_outcome,
        row_date,
        cast(sum(row_count) as bigint) as row_count,
        {{ money('sum(amount)') }} as amount
    from counted
    group by input_name, row_outcome, row_date
    having sum(row_count) > 0
)

select * from final
