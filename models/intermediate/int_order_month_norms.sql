-- What an ordinary order of a month is, on the log scale: the yardstick by which an
-- order is flagged as an outlier. By month, so that a new order can't change what was
-- said of an old one.
with

orders as (
    select
        {{ month_start('ordered_at') }} as order_month,
        cast(ordered_at as date) as order_date,
        ln(cast({{ product(['amount', 'exchange_rate']) }} as {{ type_double() }}))
            as log_amount
    from {{ ref('stg_shop__orders') }}
    where amount > 0
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

known_orders as (
    select
        orders.order_month,
        orders.log_amount
    from orders
    inner join live on orders.order_date <= live.cutoff_date
),

medians as (
    select
        order_month,
        {{ percentile('log_amount', 0.5) }} as median_log_amount
    from known_orders
    group by order_month
),

final as (
    select
        known_orders.order_month,
        medians.median_log_amount,
        {{ percentile(
            'abs(known_orders.log_amount - medians.median_log_amount)', 0.5
        ) }} as median_deviation
    from known_orders
    inner join medians on known_orders.order_month = medians.order_month
    group by known_orders.order_month, medians.median_log_amount
)

select * from final
