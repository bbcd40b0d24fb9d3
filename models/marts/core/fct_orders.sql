-- Rebuilt from the first month whose orders differ from those that stand. What a
-- customer ordered before that month is read from the months that stand.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    unique_key='order_id',
    on_schema_change='fail',
    partition_by=partitioned_by(['order_month']),
    pre_hook="{{ delete_changed_months('order_month', ref('int_orders_valued')) }}",
) }}
{% set customer_orders -%}
(
    partition by orders.customer_id, orders.is_in_sequence
    order by orders.ordered_at, orders.order_id
)
{%- endset %}

with

orders as (
    select
        order_id,
        customer_id,
        ordered_at,
        order_date,
        order_month,
        order_state,
        sales_channel,
        order_amount,
        discount_amount,
        refund_amount,
        cost_amount,
        revenue_amount,
        margin_amount,
        is_guest,
        is_outlier,
        content_hash,
        -- guests have no history, and a refund is no order
        not is_guest and order_state = 'completed' and order_amount >= 0
            as is_in_sequence
    from {{ ref('int_orders_valued') }}
    where {{ is_after_standing_months('order_month') }}
),

customers_before as (
    {% if is_incremental() %}
    select
        customer_id,
        max(order_number) as order_count,
        max(order_date) as last_order_date
    from {{ this }}
    where order_number is not null
    group by customer_id
    {% else %}
    select
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as bigint) as order_count,
        cast(null as date) as last_order_date
    where false
    {% endif %}
),

sequenced as (
    select
        orders.*,
        case
            when orders.is_in_sequence
                then
                    row_number() over {{ customer_orders }}
                    + coalesce(customers_before.order_count, 0)
        end as order_number,
        case
            when orders.is_in_sequence
                then
                    coalesce(
                        lag(orders.order_date) over {{ customer_orders }},
                        customers_before.last_order_date
                    )
        end as previous_order_date
    from orders
    left join customers_before
        on orders.customer_id = customers_before.customer_id
),

final as (
    select
        order_id,
        customer_id,
        ordered_at,
        order_date,
        order_month,
        order_state,
        sales_channel,
        order_number,
        {{ days_between('previous_order_date', 'order_date') }}
            as days_since_previous_order,
        order_amount,
        discount_amount,
        refund_amount,
        cost_amount,
        revenue_amount,
        margin_amount,
        is_guest,
        coalesce(order_number = 1, false) as is_first_order,
        is_outlier,
        content_hash
    from sequenced
)

select * from final
