-- Each attribution model shares out all completed orders, all new customers, all
-- revenue, margin and spend of each month, to the last digit. One row per model and
-- month that differs.
with

orders as (
    select
        order_month as calendar_month,
        sum(case when order_amount >= 0 then 1 else 0 end) as order_count,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount
    from {{ ref('fct_orders') }}
    where order_state = 'completed'
    group by order_month
),

channel_months as (
    select
        calendar_month,
        sum(new_customer_count) as new_customer_count,
        sum(spend_amount) as spend_amount
    from {{ ref('fct_channel_months') }}
    group by calendar_month
),

expected as (
    select
        coalesce(orders.calendar_month, channel_months.calendar_month)
            as calendar_month,
        coalesce(channel_months.new_customer_count, 0) as new_customers,
        coalesce(orders.order_count, 0) as orders,
        coalesce(orders.revenue_amount, 0) as revenue_amount,
        coalesce(orders.margin_amount, 0) as margin_amount,
        coalesce(channel_months.spend_amount, 0) as spend_amount
    from orders
    full outer join channel_months
        on orders.calendar_month = channel_months.calendar_month
),

attribution_models as (
    {%- for model in [
        'first_touch', 'last_touch', 'linear', 'position_based', 'time_decay',
        'markov',
    ] %}
    select '{{ model }}' as attribution_model
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

expected_by_model as (
    select
        attribution_models.attribution_model,
        expected.calendar_month,
        expected.new_customers,
        expected.orders,
        expected.revenue_amount,
        expected.margin_amount,
        expected.spend_amount
    from expected
    cross join attribution_models
),

attributed as (
    select
        attribution_model,
        calendar_month,
        sum(attributed_new_customers) as new_customers,
        sum(attributed_orders) as orders,
        sum(attributed_revenue_amount) as revenue_amount,
        sum(attributed_margin_amount) as margin_amount,
        sum(spend_amount) as spend_amount
    from {{ ref('fct_channel_attribution') }}
    group by attribution_model, calendar_month
)

select
    coalesce(expected_by_model.attribution_model, attributed.attribution_model)
        as attribution_model,
    coalesce(expected_by_model.calendar_month, attributed.calendar_month)
        as calendar_month,
    attributed.new_customers,
    expected_by_model.new_customers as expected_new_customers,
    attributed.orders,
    expected_by_model.orders as expected_orders,
    attributed.revenue_amount,
    expected_by_model.revenue_amount as expected_revenue_amount,
    attributed.margin_amount,
    expected_by_model.margin_amount as expected_margin_amount,
    attributed.spend_amount,
    expected_by_model.spend_amount as expected_spend_amount
from expected_by_model
full outer join attributed
    on
        expected_by_model.attribution_model = attributed.attribution_model
        and expected_by_model.calendar_month = attributed.calendar_month
where
    coalesce(attributed.new_customers, 0)
    != coalesce(expected_by_model.new_customers, 0)
    or coalesce(attributed.orders, 0) != coalesce(expected_by_model.orders, 0)
    or coalesce(attributed.revenue_amount, 0)
    != coalesce(expected_by_model.revenue_amount, 0)
    or coalesce(attributed.margin_amount, 0)
    != coalesce(expected_by_model.margin_amount, 0)
    or coalesce(attributed.spend_amount, 0)
    != coalesce(expected_by_model.spend_amount, 0)
