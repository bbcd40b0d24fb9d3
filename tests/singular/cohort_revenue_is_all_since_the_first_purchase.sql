-- Each customer's revenue stands in the cells of the cohort, except what came before
-- the first purchase and what belongs to the live month while that is not over.
with

live as (
    select {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

orders as (
    select
        orders.customer_id,
        orders.order_month,
        orders.revenue_amount,
        orders.margin_amount
    from {{ ref('fct_orders') }} as orders
    inner join live on orders.order_month < live.first_open_month
    where not orders.is_guest
),

expected as (
    select
        customers.cohort_month,
        sum(orders.revenue_amount) as revenue_amount,
        sum(orders.margin_amount) as margin_amount
    from orders
    inner join {{ ref('dim_customers') }} as customers
        on
            orders.customer_id = customers.customer_id
            and orders.order_month >= customers.cohort_month
    group by customers.cohort_month
),

found as (
    select
        cohort_month,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount
    from {{ ref('fct_cohort_retention') }}
    where is_mature
    group by cohort_month
),

final as (
    select
        coalesce(expected.cohort_month, found.cohort_month) as cohort_month,
        expected.revenue_amount as expected_revenue_amount,
        found.revenue_amount
    from expected
    full join found on expected.cohort_month = found.cohort_month
    where
        expected.revenue_amount is distinct from found.revenue_amount
        or expected.margin_amount is distinct from found.margin_amount
)

select * from final
