-- Each customer has one present stage, each stage that is over is followed by another
-- on the day on which it ended, and whom one table has as lost is lost in the other.
with

changes as (
    select
        customer_id,
        from_date,
        until_date,
        stage,
        previous_stage,
        churn_state
    from {{ ref('int_stage_changes') }}
),

present as (
    select
        customer_id,
        count(*) as stage_count,
        max(churn_state) as churn_state
    from changes
    where until_date is null
    group by customer_id
),

customers as (
    select
        customers.customer_id,
        coalesce(churn.is_churned, false) as is_churned
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('fct_customer_churn') }} as churn
        on customers.customer_id = churn.customer_id
),

not_in_one_stage as (
    select
        coalesce(customers.customer_id, present.customer_id) as customer_id,
        'not in one stage, or lost by one table only' as finding
    from customers
    full join present on customers.customer_id = present.customer_id
    where
        coalesce(
            present.stage_count != 1
            or customers.is_churned != (present.churn_state = 'churned'),
            true
        )
),

not_followed as (
    select
        changes.customer_id,
        'a stage ended without another' as finding
    from changes
    left join changes as next_changes
        on
            changes.customer_id = next_changes.customer_id
            and changes.until_date = next_changes.from_date
            and changes.stage = next_changes.previous_stage
    where changes.until_date is not null and next_changes.customer_id is null
),

final as (
    select
        customer_id,
        finding
    from not_in_one_stage

    union all

    select
        customer_id,
        finding
    from not_followed
)

select * from final
