-- Each known order in the reporting currency, netted of refunds, with its margin.
-- Only completed orders are revenue. Cost is the order's own, else that of its lines
-- where all of them are known; without cost, margin is a share of revenue.
{{ config(materialized='view') }}

with

orders as {{ inlined() }} (
    select
        order_id,
        customer_id,
        ordered_at,
        amount,
        status,
        discount_amount,
        refund_amount,
        cost_amount,
        sales_channel,
        exchange_rate
    from {{ ref('stg_shop__orders') }}
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

statuses as (
    select
        status,
        order_state
    from {{ ref('order_statuses') }}
),

known as {{ inlined() }} (
    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        cast(orders.ordered_at as date) as order_date,
        {{ month_start('orders.ordered_at') }} as order_month,
        orders.status,
        orders.sales_channel,
        {{ money(product(['orders.amount', 'orders.exchange_rate'])) }} as order_amount,
        orders.discount_amount,
        orders.refund_amount,
        orders.cost_amount,
        orders.exchange_rate
    from orders
    inner join live on cast(orders.ordered_at as date) <= live.cutoff_date
),

lines_quarantined as (
    select distinct order_id
    from {{ ref('base_shop__order_items') }}
    where row_outcome = 'quarantined'
),

item_costs as (
    select
        items.order_id,
        case
            when
                count(items.cost_amount) = count(*)
                and count(lines_quarantined.order_id) = 0
                then sum(items.cost_amount)
        end as cost_amount
    from {{ ref('int_order_items_valued') }} as items
    inner join known on items.order_id = known.order_id
    left join lines_quarantined on items.order_id = lines_quarantined.order_id
    where known.cost_amount is null
    group by items.order_id
),

converted as {{ inlined() }} (
    select
        known.order_id,
        known.customer_id,
        known.ordered_at,
        known.order_date,
        known.order_month,
        coalesce(statuses.order_state, 'completed') as order_state,
        known.sales_channel,
        known.order_amount,
        {{ money(product(
            ['coalesce(known.discount_amount, 0)', 'known.exchange_rate']
        )) }} as discount_amount,
        {{ money(product(
            ['coalesce(known.refund_amount, 0)', 'known.exchange_rate']
        )) }} as refund_amount,
        {{ money(
            'coalesce(' ~ product(['known.cost_amount', 'known.exchange_rate'])
            ~ ', item_costs.cost_amount)'
        ) }} as cost_amount
    from known
    left join statuses on known.status = statuses.status
    left join item_costs on known.order_id = item_costs.order_id
),

log_amounts as {{ inlined() }} (
    select
        order_month,
        ln(cast(order_amount as {{ type_double() }})) as log_amount
    from known
    where order_amount > 0
),

medians as (
    select
        order_month,
        {{ percentile('log_amount', 0.5) }} as median_log_amount
    from log_amounts
    group by order_month
),

-- what an ordinary amount is, by month: a new order can't change what was said of the
-- orders of another month
norms as (
    select
        log_amounts.order_month,
        medians.median_log_amount,
        {{ percentile(
            'abs(log_amounts.log_amount - medians.median_log_amount)', 0.5
        ) }} as median_deviation
    from log_amounts
    inner join medians on log_amounts.order_month = medians.order_month
    group by log_amounts.order_month, medians.median_log_amount
),

valued as (
    select
        converted.order_id,
        converted.customer_id,
        converted.ordered_at,
        converted.order_date,
        converted.order_month,
        converted.order_state,
        converted.sales_channel,
        converted.order_amount,
        converted.discount_amount,
        converted.refund_amount,
        converted.cost_amount,
        {{ money(
            "case when converted.order_state = 'completed' "
            ~ "then converted.order_amount - converted.refund_amount else 0 end"
        ) }} as revenue_amount,
        {{ money(
            "case when converted.order_state = 'completed' "
            ~ "then coalesce("
            ~ "converted.order_amount - converted.refund_amount "
            ~ "- converted.cost_amount, "
            ~ product([
                'converted.order_amount - converted.refund_amount',
                setting_number('default_margin_rate', minimum=0, maximum=1),
            ])
            ~ ") else 0 end"
        ) }} as margin_amount,
        converted.customer_id is null as is_guest,
        coalesce(
            converted.order_amount > 0
            -- the robust z-score of Iglewicz and Hoaglin, and their border
            and 0.6745 * abs(
                ln(cast(
                    case when converted.order_amount > 0 then converted.order_amount end
                    as {{ type_double() }}
                ))
                - norms.median_log_amount
            ) > 3.5 * nullif(norms.median_deviation, 0),
            false
        ) as is_outlier
    from converted
    left join norms on converted.order_month = norms.order_month
),

final as (
    select
        valued.*,
        {{ row_hash([
            'order_id', 'customer_id', 'ordered_at', 'order_state', 'sales_channel',
            'order_amount', 'discount_amount', 'refund_amount', 'cost_amount',
            'revenue_amount', 'margin_amount', 'is_outlier',
        ]) }} as content_hash
    from valued
)

select * from final
