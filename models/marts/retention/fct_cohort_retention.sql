-- A cohort is everyone whose first purchase fell into the same calendar month; its
-- size never changes. Classic retention asks who bought in exactly that month,
-- unbounded retention who bought then or later, as far as is known by now.
-- Money before the first purchase (a refund) belongs to no cohort and is not here.
with

live as (
    select
        {{ month_start('cutoff_date') }} as live_month,
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        cohort_month,
        {{ month_start('last_purchase_date') }} as last_active_month
    from {{ ref('dim_customers') }}
    where cohort_month is not null
),

customer_months as (
    select
        cohort_month,
        activity_month,
        revenue_amount,
        margin_amount,
        is_active
    from {{ ref('fct_customer_months') }}
    where cohort_month is not null
),

last_seen as (
    select
        cohort_month,
        last_active_month,
        count(*) as customer_count
    from customers
    group by cohort_month, last_active_month
),

activity as (
    select
        cohort_month,
        activity_month,
        count(case when is_active then 1 end) as active_customer_count,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount
    from customer_months
    group by cohort_month, activity_month
),

cohorts as (
    select
        cohort_month,
        sum(customer_count) as cohort_customer_count
    from last_seen
    group by cohort_month
),

cells as (
    select
        cohorts.cohort_month,
        numbers.n as months_since_cohort,
        {{ add_months('cohorts.cohort_month', 'numbers.n') }} as calendar_month,
        cohorts.cohort_customer_count,
        live.first_open_month
    from cohorts
    cross join live
    cross join {{ numbers(1200) }} as numbers
    where
        numbers.n
        <= {{ months_between('cohorts.cohort_month', 'live.live_month') }}
),

filled as (
    select
        cells.cohort_month,
        cells.months_since_cohort,
        cells.calendar_month,
        cells.cohort_customer_count,
        cells.calendar_month < cells.first_open_month as is_mature,
        coalesce(activity.active_customer_count, 0) as active_customer_count,
        coalesce(activity.revenue_amount, 0) as revenue_amount,
        sum(coalesce(last_seen.customer_count, 0)) over (
            partition by cells.cohort_month order by cells.months_since_cohort desc
            rows between unbounded preceding and current row
        ) as unbounded_customer_count,
        coalesce(activity.margin_amount, 0) as margin_amount,
        sum(coalesce(activity.margin_amount, 0)) over (
            partition by cells.cohort_month order by cells.months_since_cohort
            rows between unbounded preceding and current row
        ) as cumulative_margin_amount
    from cells
    left join activity
        on
            cells.cohort_month = activity.cohort_month
            and cells.calendar_month = activity.activity_month
    left join last_seen
        on
            cells.cohort_month = last_seen.cohort_month
            and cells.calendar_month = last_seen.last_active_month
),

-- what the live month will come to is not known yet
known as (
    select
        cohort_month,
        months_since_cohort,
        calendar_month,
        cohort_customer_count,
        is_mature,
        case when is_mature then active_customer_count end as active_customer_count,
        case when is_mature then unbounded_customer_count end
            as unbounded_customer_count,
        case when is_mature then revenue_amount end as revenue_amount,
        case when is_mature then margin_amount end as margin_amount,
        case when is_mature then cumulative_margin_amount end
            as cumulative_margin_amount
    from filled
),

final as (
    select
        cohort_month,
        months_since_cohort,
        calendar_month,
        cast(cohort_customer_count as bigint) as cohort_customer_count,
        cast(active_customer_count as bigint) as active_customer_count,
        {{ ratio('active_customer_count', 'cohort_customer_count') }}
            as retention_rate,
        cast(unbounded_customer_count as bigint) as unbounded_customer_count,
        {{ ratio('unbounded_customer_count', 'cohort_customer_count') }}
            as unbounded_retention_rate,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('margin_amount') }} as margin_amount,
        {{ money('cumulative_margin_amount') }} as cumulative_margin_amount,
        {{ money(ratio('cumulative_margin_amount', 'cohort_customer_count')) }}
            as cumulative_margin_per_customer_amount,
        is_mature
    from known
)

select * from final
