-- A purchase is a customer-day whose completed orders, net of refunds, are worth more
-- than nothing; two orders on one day are one purchase. Days of nothing but refunds or
-- gifts stand here too, since their money counts.
-- Rebuilt from the first month whose orders differ from those that stand.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    unique_key=['customer_id', 'activity_date'],
    on_schema_change='fail',
    partition_by=partitioned_by(['activity_month']),
    pre_hook="{{ delete_changed_months(
        'activity_month', ref('fct_orders'), incoming_month='order_month',
        where=\"not is_guest and order_state = 'completed'\"
    ) }}",
) }}
{% set customer_days -%}
(
    partition by days.customer_id, days.is_purchase
    order by days.activity_date
)
{%- endset %}

with

days as (
    select
        customer_id,
        order_date as activity_date,
        order_month as activity_month,
        count(order_number) as order_count,
        {{ money('sum(revenue_amount)') }} as revenue_amount,
        {{ money('sum(margin_amount)') }} as margin_amount,
        sum(revenue_amount) > 0 as is_purchase,
        cast(sum(content_hash) as bigint) as content_hash
    from {{ ref('fct_orders') }}
    where
        not is_guest
        and order_state = 'completed'
        and {{ is_after_standing_months('order_month', 'activity_month') }}
    group by customer_id, order_date, order_month
),

customers_before as (
    {% if is_incremental() %}
    select
        customer_id,
        max(purchase_number) as purchase_count,
        max(activity_date) as last_purchase_date
    from {{ this }}
    where is_purchase
    group by customer_id
    {% else %}
    select
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as bigint) as purchase_count,
        cast(null as date) as last_purchase_date
    where false
    {% endif %}
),

numbered as (
    select
        days.*,
        case
            when days.is_purchase
                then
                    row_number() over {{ customer_days }}
                    + coalesce(customers_before.purchase_count, 0)
        end as purchase_number,
        case
            when days.is_purchase
                then
                    coalesce(
                        lag(days.activity_date) over {{ customer_days }},
                        customers_before.last_purchase_date
                    )
        end as previous_purchase_date
    from days
    left join customers_before on days.customer_id = customers_before.customer_id
),

final as (
    select
        customer_id,
        activity_date,
        activity_month,
        purchase_number,
        previous_purchase_date,
        {{ days_between('previous_purchase_date', 'activity_date') }}
            as days_since_previous_purchase,
        order_count,
        revenue_amount,
        margin_amount,
        is_purchase,
        content_hash
    from numbered
)

select * from final
