-- Every customer with a purchase is at risk in week 0 of one group of each type, and
-- stays at risk until coming back or being censored.
with

weeks as (
    select
        group_type,
        group_name,
        weeks_since_first_purchase,
        at_risk_count,
        at_risk_count - event_count - censored_count as left_count,
        weeks_since_first_purchase + 1 as next_week
    from {{ ref('fct_repeat_survival') }}
),

group_types as (
    select
        group_type,
        sum(at_risk_count) as customer_count
    from weeks
    where weeks_since_first_purchase = 0
    group by group_type
),

customers as (
    select count(*) as customer_count
    from {{ ref('dim_customers') }}
    where first_purchase_date is not null
),

final as (
    select
        group_types.group_type,
        'everyone' as group_name,
        0 as weeks_since_first_purchase,
        group_types.customer_count as found_count,
        customers.customer_count as expected_count
    from group_types
    cross join customers
    where group_types.customer_count != customers.customer_count

    union all

    select
        weeks.group_type,
        weeks.group_name,
        weeks.weeks_since_first_purchase,
        weeks.at_risk_count as found_count,
        previous.left_count as expected_count
    from weeks
    inner join weeks as previous
        on
            weeks.group_type = previous.group_type
            and weeks.group_name = previous.group_name
            and weeks.weeks_since_first_purchase = previous.next_week
    where weeks.at_risk_count != previous.left_count
)

select * from final
