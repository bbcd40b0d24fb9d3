-- A build whose orders all went into quarantine, or that looks at a day before the first
-- order, has empty tables: that must not pass for success. What to do: read
-- fct_rejected_rows for the reasons, or look at the var as_of_date.
with

orders as (
    select
        raw_row_count,
        accepted_row_count
    from {{ ref('fct_input_health') }}
    where input_name = 'orders'
),

known as (
    select count(*) as order_count
    from {{ ref('fct_orders') }}
)

select
    orders.raw_row_count,
    orders.accepted_row_count,
    known.order_count
from orders
cross join known
where orders.raw_row_count > 0 and known.order_count = 0
