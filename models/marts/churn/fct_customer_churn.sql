-- Where each customer stands on the evening of the live cutoff. Who was lost and is
-- back is won back, until lost again.
with

events as (
    select
        customer_id,
        event_date,
        churn_event,
        relationship
    from {{ ref('int_churn_events') }}
),

features as (
    select
        customer_id,
        last_purchase_date,
        days_since_last_purchase
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
),

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

customers as (
    select
        customer_id,
        relationship,
        max(case when churn_event = 'churned' then event_date end) as last_churned_date,
        count(case when churn_event = 'churned' then 1 end) as churn_count,
        count(case when churn_event = 'won_back' then 1 end) as win_back_count
    from events
    group by customer_id, relationship
),

judged as (
    select
        customer_id,
        relationship,
        last_churned_date,
        churn_count,
        win_back_count,
        -- each win-back undoes one churn
        churn_count > win_back_count as is_churned
    from customers
),

final as (
    select
        judged.customer_id,
        case
            when judged.relationship = 'noncontractual' then features.last_purchase_date
            when judged.is_churned then judged.last_churned_date
        end as last_active_date,
        case when judged.is_churned then judged.last_churned_date end as churned_date,
        judged.relationship,
        case
            when judged.is_churned then 'churned'
            when judged.win_back_count > 0 then 'won_back'
            else 'active'
        end as churn_state,
        case
            when judged.relationship = 'noncontractual' then threshold.inactivity_days
        end as inactivity_days,
        features.days_since_last_purchase,
        case
            when judged.relationship = 'noncontractual' and not judged.is_churned
                then threshold.inactivity_days - features.days_since_last_purchase
        end as days_until_churn,
        judged.churn_count,
        judged.win_back_count,
        judged.is_churned
    from judged
    cross join threshold
    left join features on judged.customer_id = features.customer_id
)

select * from final
