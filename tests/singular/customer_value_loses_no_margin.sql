-- The historic margins and revenues of all customers are what their completed orders
-- brought, and the shares of the total add up to it.
with

customers as (
    select
        customer_id,
        historic_revenue_amount,
        historic_margin_amount,
        share_of_total_rate
    from {{ ref('fct_customer_value') }}
),

sums as (
    select
        sum(historic_revenue_amount) as revenue_amount,
        sum(historic_margin_amount) as margin_amount,
        sum(share_of_total_rate) as share_of_total_rate
    from customers
),

ordered as (
    select
        sum(orders.revenue_amount) as revenue_amount,
        sum(orders.margin_amount) as margin_amount
    from {{ ref('fct_orders') }} as orders
    inner join customers on orders.customer_id = customers.customer_id
),

final as (
    select
        sums.revenue_amount,
        ordered.revenue_amount as ordered_revenue_amount,
        sums.margin_amount,
        ordered.margin_amount as ordered_margin_amount,
        sums.share_of_total_rate
    from sums
    cross join ordered
    where
        sums.revenue_amount != ordered.revenue_amount
        or sums.margin_amount != ordered.margin_amount
        or abs(sums.share_of_total_rate - 1) > 1e-9
)

select * from final
