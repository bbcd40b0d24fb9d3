-- The way of orders and their lines from staging to the marts, as identities: what goes
-- in on the left, where it ended on the right.
with

accepted_orders as (
    select
        cast(ordered_at as date) as order_date,
        {{ money(product(['amount', 'exchange_rate'])) }} as order_amount
    from {{ ref('stg_shop__orders') }}
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

accepted as (
    select
        count(*) as row_count,
        sum(accepted_orders.order_amount) as order_amount,
        count(
            case
                when coalesce(accepted_orders.order_date > live.cutoff_date, true)
                    then 1
            end
        ) as later_row_count,
        sum(
            case
                when coalesce(accepted_orders.order_date > live.cutoff_date, true)
                    then accepted_orders.order_amount
            end
        ) as later_order_amount
    from accepted_orders
    -- before the first order there is no live cutoff, and all is yet to come
    left join live on true
),

orders as (
    select
        count(*) as row_count,
        sum(order_amount) as order_amount,
        sum(revenue_amount) as revenue_amount,
        sum(case when is_guest then revenue_amount end) as guest_revenue_amount,
        sum(margin_amount) as margin_amount,
        sum(case when is_guest then margin_amount end) as guest_margin_amount
    from {{ ref('fct_orders') }}
),

customer_months as (
    select
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount
    from {{ ref('fct_customer_months') }}
),

final as (
    select
        'orders' as input_name,
        'accepted rows = orders + orders after the live cutoff' as identity_name,
        {{ money('accepted.row_count') }} as value_in,
        {{ money('orders.row_count + accepted.later_row_count') }} as value_out
    from accepted
    cross join orders

    union all

    select
        'orders' as input_name,
        'accepted money = order amounts + those after the live cutoff'
            as identity_name,
        {{ money('coalesce(accepted.order_amount, 0)') }} as value_in,
        {{ money(
            'coalesce(orders.order_amount, 0) '
            ~ '+ coalesce(accepted.later_order_amount, 0)'
        ) }} as value_out
    from accepted
    cross join orders

    union all

    select
        'orders' as input_name,
        'revenue of orders = of customer months + of guests' as identity_name,
        {{ money('coalesce(orders.revenue_amount, 0)') }} as value_in,
        {{ money(
            'coalesce(customer_months.revenue_amount, 0) '
            ~ '+ coalesce(orders.guest_revenue_amount, 0)'
        ) }} as value_out
    from orders
    cross join customer_months

    union all

    select
        'orders' as input_name,
        'margin of orders = of customer months + of guests' as identity_name,
        {{ money('coalesce(orders.margin_amount, 0)') }} as value_in,
        {{ money(
            'coalesce(customer_months.margin_amount, 0) '
            ~ '+ coalesce(orders.guest_margin_amount, 0)'
        ) }} as value_out
    from orders
    cross join customer_months
)

select * from final
