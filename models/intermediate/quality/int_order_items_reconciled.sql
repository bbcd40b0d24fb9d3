-- The way of order lines from staging to fct_order_items: what is missing there belongs
-- to an order that was not accepted, or is not known yet.
with

order_items as (
    select order_id
    from {{ ref('stg_shop__order_items') }}
),

orders as (
    select order_id
    from {{ ref('fct_orders') }}
),

accepted as (
    select
        count(*) as row_count,
        count(case when orders.order_id is null then 1 end) as waiting_row_count
    from order_items
    left join orders on order_items.order_id = orders.order_id
),

lines as (
    select count(*) as row_count
    from {{ ref('fct_order_items') }}
),

final as (
    select
        'order_items' as input_name,
        'accepted rows = order lines + lines without a known order' as identity_name,
        {{ money('accepted.row_count') }} as value_in,
        {{ money('lines.row_count + accepted.waiting_row_count') }} as value_out
    from accepted
    cross join lines
)

select * from final
