-- Losses by month, returns and second losses, and all that was bought since a first
-- return, stand in fct_win_back_cohorts in full. One row per sum that differs.
with

churn_months as (
    select
        calendar_month,
        relationship,
        churned_count,
        won_back_count
    from {{ ref('fct_churn_months') }}
),

cohorts as (
    select
        churn_month,
        relationship,
        churned_count,
        returned_count,
        returned_revenue_amount,
        returned_margin_amount,
        lost_again_count
    from {{ ref('fct_win_back_cohorts') }}
),

losses as (
    select
        churn_months.relationship,
        sum(churn_months.churned_count) as churned_count,
        sum(cohorts.churned_count) as cohort_churned_count,
        sum(
            abs(churn_months.churned_count - coalesce(cohorts.churned_count, 0))
        ) as churned_difference,
        sum(churn_months.won_back_count) as won_back_count,
        sum(cohorts.returned_count) as cohort_returned_count,
        sum(cohorts.lost_again_count) as cohort_lost_again_count
    from churn_months
    full outer join cohorts
        on
            churn_months.calendar_month = cohorts.churn_month
            and churn_months.relationship = cohorts.relationship
    group by churn_months.relationship
),

first_losses as (
    select
        relationship,
        count(distinct customer_id) as customer_count
    from {{ ref('int_churn_events') }}
    where churn_event = 'churned'
    group by relationship
),

first_returns as (
    select
        customer_id,
        min(event_date) as return_date
    from {{ ref('int_churn_events') }}
    where churn_event = 'won_back'
    group by customer_id
),

bought_since as (
    select
        coalesce(sum(customer_days.revenue_amount), 0) as revenue_amount,
        coalesce(sum(customer_days.margin_amount), 0) as margin_amount
    from {{ ref('int_customer_days') }} as customer_days
    inner join first_returns
        on
            customer_days.customer_id = first_returns.customer_id
            and customer_days.activity_date >= first_returns.return_date
),

returned as (
    select
        coalesce(sum(returned_revenue_amount), 0) as revenue_amount,
        coalesce(sum(returned_margin_amount), 0) as margin_amount
    from cohorts
)

select
    losses.relationship,
    'customers' as sum_name,
    losses.won_back_count as expected,
    losses.cohort_returned_count as found
from losses
left join first_losses on losses.relationship = first_losses.relationship
where
    losses.relationship is null
    or losses.churned_difference != 0
    or losses.won_back_count != coalesce(losses.cohort_returned_count, 0)
    -- every loss but a customer's first is one after a return
    or coalesce(losses.cohort_lost_again_count, 0)
    != losses.churned_count - coalesce(first_losses.customer_count, 0)

union all

select
    'all' as relationship,
    'revenue since the return' as sum_name,
    bought_since.revenue_amount as expected,
    returned.revenue_amount as found
from bought_since
cross join returned
where bought_since.revenue_amount != returned.revenue_amount

union all

select
    'all' as relationship,
    'margin since the return' as sum_name,
    bought_since.margin_amount as expected,
    returned.margin_amount as found
from bought_since
cross join returned
where bought_since.margin_amount != returned.margin_amount
