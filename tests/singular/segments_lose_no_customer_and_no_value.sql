-- In each segment type everyone is in one segment, and the segments together have the
-- revenue and margin of the buyers' orders (guests are no customers, and who has no
-- day worth more than nothing is no buyer), and the value and answers of all customers;
-- their shares of the value come to 1.
with

segments as (
    select
        segment_type,
        sum(customer_count) as customer_count,
        sum(buyer_count) as buyer_count,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount,
        sum(residual_value_amount) as residual_value_amount,
        sum(value_amount) as value_amount,
        sum(answered_customer_count) as answered_customer_count,
        sum(share_of_value_rate) as share_of_value_rate
    from {{ ref('fct_segments') }}
    group by segment_type
),

customers as (
    select
        count(*) as customer_count,
        count(latest_score) as answered_customer_count
    from {{ ref('fct_customer_segments') }}
),

customer_values as (
    select
        count(*) as buyer_count,
        sum(residual_value_amount) as residual_value_amount,
        sum(lifetime_value_amount) as value_amount
    from {{ ref('fct_customer_value') }}
),

orders as (
    select
        coalesce(sum(fct_orders.revenue_amount), 0) as revenue_amount,
        coalesce(sum(fct_orders.margin_amount), 0) as margin_amount
    from {{ ref('fct_orders') }} as fct_orders
    inner join {{ ref('dim_customers') }} as dim_customers
        on fct_orders.customer_id = dim_customers.customer_id
    where
        fct_orders.order_state = 'completed'
        and dim_customers.first_purchase_date is not null
),

final as (
    select
        segments.segment_type,
        segments.customer_count,
        customers.customer_count as expected_customer_count,
        segments.revenue_amount,
        orders.revenue_amount as expected_revenue_amount,
        segments.margin_amount,
        orders.margin_amount as expected_margin_amount,
        segments.value_amount,
        customer_values.value_amount as expected_value_amount,
        segments.share_of_value_rate
    from segments
    cross join customers
    cross join customer_values
    cross join orders
    where
        segments.customer_count != customers.customer_count
        or segments.buyer_count != customer_values.buyer_count
        or segments.revenue_amount != orders.revenue_amount
        or segments.margin_amount != orders.margin_amount
        or segments.residual_value_amount
        is distinct from customer_values.residual_value_amount
        or segments.answered_customer_count != customers.answered_customer_count
        or segments.value_amount is distinct from customer_values.value_amount
        or abs(segments.share_of_value_rate - 1) > 1e-9
)

select * from final
