-- Only months in which something happened: a customer without a row was not active.
-- Rebuilt from the first month whose orders differ from those that stand.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    unique_key=['customer_id', 'activity_month'],
    on_schema_change='fail',
    partition_by=partitioned_by(['activity_month']),
    pre_hook="{{ delete_changed_months('activity_month', ref('int_customer_days')) }}",
) }}
{% set customer_months_so_far -%}
(
    partition by months.customer_id
    order by months.activity_month
    rows between unbounded preceding and current row
)
{%- endset %}
{% set customer_months_before -%}
(
    partition by months.customer_id
    order by months.activity_month
    rows between unbounded preceding and 1 preceding
)
{%- endset %}

with

months as (
    select
        customer_id,
        activity_month,
        sum(order_count) as order_count,
        count(purchase_number) as purchase_count,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount,
        sum(content_hash) as content_hash
    from {{ ref('int_customer_days') }}
    where {{ is_after_standing_months('activity_month') }}
    group by customer_id, activity_month
),

customers_before as (
    {% if is_incremental() %}
    select
        customer_id,
        max(cohort_month) as cohort_month,
        max(case when is_active then activity_month end) as last_active_month
    from {{ this }}
    group by customer_id
    {% else %}
    select
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as date) as cohort_month,
        cast(null as date) as last_active_month
    where false
    {% endif %}
),

sequenced as (
    select
        months.*,
        months.purchase_count > 0 as is_active,
        -- the cohort is the month of the first purchase; refunds may come before it
        coalesce(
            customers_before.cohort_month,
            min(case when months.purchase_count > 0 then months.activity_month end)
                over {{ customer_months_so_far }}
        ) as cohort_month,
        coalesce(
            max(case when months.purchase_count > 0 then months.activity_month end)
                over {{ customer_months_before }},
            customers_before.last_active_month
        ) as previous_active_month
    from months
    left join customers_before
        on months.customer_id = customers_before.customer_id
),

final as (
    select
        customer_id,
        activity_month,
        cohort_month,
        previous_active_month,
        cast(
            {{ months_between('cohort_month', 'activity_month') }} as integer
        ) as months_since_cohort,
        cast(order_count as bigint) as order_count,
        cast(purchase_count as bigint) as purchase_count,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('margin_amount') }} as margin_amount,
        is_active,
        cast(content_hash as bigint) as content_hash
    from sequenced
)

select * from final
