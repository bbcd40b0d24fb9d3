-- Each customer is active in a month (made a purchase) or not, and compared with the
-- month before. Activity decides first: who bought then and not now has churned, who
-- was away has come back, and only who bought in both months can expand or contract.
-- Money without activity (a refund, a gift) moves as adjustment, when it comes and
-- when it is gone a month later.
with

live as (
    select
        {{ month_start('cutoff_date') }} as live_month,
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customer_months as {{ inlined() }} (
    select
        customer_id,
        activity_month,
        {{ add_months('activity_month', 1) }} as next_month,
        cohort_month,
        is_active,
        case when is_active then revenue_amount else 0 end as active_amount,
        case when is_active then 0 else revenue_amount end as inactive_amount
    from {{ ref('fct_customer_months') }}
),

-- a customer's month next to the month before, where either has a row
compared as (
    select
        coalesce(this_month.activity_month, last_month.next_month) as calendar_month,
        coalesce(this_month.cohort_month = this_month.activity_month, false)
            as is_first_month,
        coalesce(this_month.is_active, false) as is_active,
        coalesce(last_month.is_active, false) as was_active,
        coalesce(this_month.active_amount, 0) as active_amount,
        coalesce(last_month.active_amount, 0) as previous_active_amount,
        coalesce(this_month.inactive_amount, 0) as inactive_amount,
        coalesce(last_month.inactive_amount, 0) as previous_inactive_amount
    from customer_months as this_month
    full join customer_months as last_month
        on
            this_month.customer_id = last_month.customer_id
            and this_month.activity_month = last_month.next_month
),

moved as (
    select
        calendar_month,
        is_active,
        was_active,
        case
            when was_active and not is_active then 'churned'
            when not is_active then 'inactive'
            when is_first_month then 'new'
            when not was_active then 'reactivated'
            when active_amount > previous_active_amount then 'expanded'
            when active_amount < previous_active_amount then 'contracted'
            else 'unchanged'
        end as movement,
        active_amount + inactive_amount as revenue_amount,
        previous_active_amount + previous_inactive_amount as previous_revenue_amount,
        active_amount - previous_active_amount as movement_amount,
        inactive_amount - previous_inactive_amount as adjustment_amount
    from compared
),

summed as (
    select
        calendar_month,
        count(case when was_active then 1 end) as previous_active_customer_count,
        count(case when is_active then 1 end) as active_customer_count,
        count(case when movement = 'new' then 1 end) as new_customer_count,
        count(case when was_active and is_active then 1 end) as retained_customer_count,
        count(case when movement = 'reactivated' then 1 end)
            as reactivated_customer_count,
        count(case when movement = 'churned' then 1 end) as churned_customer_count,
        sum(previous_revenue_amount) as previous_revenue_amount,
        sum(case when movement = 'new' then movement_amount end) as new_revenue_amount,
        sum(case when movement = 'expanded' then movement_amount end)
            as expansion_revenue_amount,
        sum(case when movement = 'reactivated' then movement_amount end)
            as reactivation_revenue_amount,
        sum(case when movement = 'contracted' then movement_amount end)
            as contraction_revenue_amount,
        sum(case when movement = 'churned' then movement_amount end)
            as churned_revenue_amount,
        sum(adjustment_amount) as adjustment_revenue_amount,
        sum(revenue_amount) as revenue_amount
    from moved
    group by calendar_month
),

first_month as (
    select min(activity_month) as calendar_month
    from customer_months
),

spine as (
    select
        {{ add_months('first_month.calendar_month', 'numbers.n') }} as calendar_month,
        live.first_open_month
    from first_month
    cross join live
    cross join {{ numbers(1200) }} as numbers
    where
        numbers.n
        <= {{ months_between('first_month.calendar_month', 'live.live_month') }}
),

months as (
    select
        calendar_month,
        calendar_month < first_open_month as is_mature
    from spine
),

-- a month without a row is 0; what the live month will come to is not known yet
filled as (
    select
        months.calendar_month,
        months.is_mature,
        coalesce(summed.previous_active_customer_count, 0)
            as previous_active_customer_count,
        case when months.is_mature then coalesce(summed.new_customer_count, 0) end
            as new_customer_count,
        case
            when months.is_mature then coalesce(summed.reactivated_customer_count, 0)
        end as reactivated_customer_count,
        case when months.is_mature then coalesce(summed.churned_customer_count, 0) end
            as churned_customer_count,
        case when months.is_mature then coalesce(summed.retained_customer_count, 0) end
            as retained_customer_count,
        case when months.is_mature then coalesce(summed.active_customer_count, 0) end
            as active_customer_count,
        coalesce(summed.previous_revenue_amount, 0) as previous_revenue_amount,
        case when months.is_mature then coalesce(summed.new_revenue_amount, 0) end
            as new_revenue_amount,
        case when months.is_mature then coalesce(summed.expansion_revenue_amount, 0) end
            as expansion_revenue_amount,
        case
            when months.is_mature then coalesce(summed.reactivation_revenue_amount, 0)
        end as reactivation_revenue_amount,
        case
            when months.is_mature then coalesce(summed.contraction_revenue_amount, 0)
        end as contraction_revenue_amount,
        case when months.is_mature then coalesce(summed.churned_revenue_amount, 0) end
            as churned_revenue_amount,
        case
            when months.is_mature then coalesce(summed.adjustment_revenue_amount, 0)
        end as adjustment_revenue_amount,
        case when months.is_mature then coalesce(summed.revenue_amount, 0) end
            as revenue_amount
    from months
    left join summed on months.calendar_month = summed.calendar_month
),

final as (
    select
        calendar_month,
        cast(previous_active_customer_count as bigint)
            as previous_active_customer_count,
        cast(new_customer_count as bigint) as new_customer_count,
        cast(reactivated_customer_count as bigint) as reactivated_customer_count,
        cast(churned_customer_count as bigint) as churned_customer_count,
        cast(retained_customer_count as bigint) as retained_customer_count,
        cast(active_customer_count as bigint) as active_customer_count,
        {{ ratio('retained_customer_count', 'previous_active_customer_count') }}
            as monthly_retention_rate,
        {{ ratio('churned_customer_count', 'previous_active_customer_count') }}
            as monthly_churn_rate,
        {{ money('previous_revenue_amount') }} as previous_revenue_amount,
        {{ money('new_revenue_amount') }} as new_revenue_amount,
        {{ money('expansion_revenue_amount') }} as expansion_revenue_amount,
        {{ money('reactivation_revenue_amount') }} as reactivation_revenue_amount,
        {{ money('contraction_revenue_amount') }} as contraction_revenue_amount,
        {{ money('churned_revenue_amount') }} as churned_revenue_amount,
        {{ money('adjustment_revenue_amount') }} as adjustment_revenue_amount,
        {{ money('revenue_amount') }} as revenue_amount,
        is_mature
    from filled
)

select * from final
