-- Each month's revenue is that of all completed orders but guests', and each month
-- begins with what the month before ended with.
with

ordered as (
    select
        order_month as calendar_month,
        sum(revenue_amount) as revenue_amount
    from {{ ref('fct_orders') }}
    where not is_guest
    group by order_month
),

months as (
    select
        calendar_month,
        previous_active_customer_count,
        previous_revenue_amount,
        active_customer_count,
        revenue_amount,
        is_mature,
        {{ add_months('calendar_month', 1) }} as next_month
    from {{ ref('fct_monthly_movement') }}
),

final as (
    select
        months.calendar_month,
        months.revenue_amount,
        ordered.revenue_amount as ordered_amount,
        months.previous_revenue_amount,
        previous.revenue_amount as revenue_amount_of_previous_month
    from months
    full join ordered on months.calendar_month = ordered.calendar_month
    left join months as previous on months.calendar_month = previous.next_month
    where
        (
            coalesce(months.is_mature, true)
            and coalesce(months.revenue_amount, 0)
            != coalesce(ordered.revenue_amount, 0)
        )
        or months.previous_revenue_amount != coalesce(previous.revenue_amount, 0)
        or months.previous_active_customer_count
        != coalesce(previous.active_customer_count, 0)
)

select * from final
