-- Where each customer stands on the evening of the live cutoff, how likely the customer
-- is to leave in the window that follows, and how long who has not left will stay. Who
-- was lost and is back is won back, until lost again. Equal probabilities share a rank.
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

scores as (
    select
        customer_id,
        churn_probability_rate,
        churn_reason_1,
        churn_reason_2,
        churn_reason_3,
        not_scored_reason
    from {{ ref('int_churn_scores') }}
    where cutoff = 'live'
),

survival as (
    select
        customer_id,
        survival_3_months_rate,
        survival_6_months_rate,
        survival_12_months_rate,
        median_remaining_days,
        is_survival_extrapolated
    from {{ ref('int_customer_survival') }}
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
        scores.churn_probability_rate,
        case
            when scores.churn_probability_rate is not null and not judged.is_churned
                then
                    cast(rank() over (
                        partition by judged.is_churned
                        order by scores.churn_probability_rate desc nulls last
                    ) as bigint)
        end as churn_risk_rank,
        scores.churn_reason_1,
        scores.churn_reason_2,
        scores.churn_reason_3,
        -- who has neither a purchase nor a running contract is not scored at all
        case
            when scores.churn_probability_rate is null
                then coalesce(scores.not_scored_reason, 'no running contract')
        end as not_scored_reason,
        survival.survival_3_months_rate,
        survival.survival_6_months_rate,
        survival.survival_12_months_rate,
        survival.median_remaining_days,
        survival.is_survival_extrapolated,
        judged.is_churned
    from judged
    cross join threshold
    left join features on judged.customer_id = features.customer_id
    left join scores on judged.customer_id = scores.customer_id
    left join survival on judged.customer_id = survival.customer_id
)

select * from final
