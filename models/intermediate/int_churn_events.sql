-- When each customer came, left and came back.
-- Without contract: who buys nothing for longer than the threshold has left on the day
-- of the last purchase + threshold; a purchase after that day is a win-back, a purchase
-- on that very day is not. On the evening of that day the silence is certain to outlast
-- the threshold, so the event is known on its own date, whatever the cutoff.
-- With contract: a customer stays while any contract runs. Contracts that overlap or
-- touch (one ends on the day another starts) are one stay; the end of a stay is churn,
-- a later start is a win-back. An end after the live cutoff is not known yet.
with

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        customer_id,
        relationship,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

purchases as (
    select
        customer_id,
        activity_date,
        purchase_number,
        previous_purchase_date,
        days_since_previous_purchase
    from {{ ref('int_customer_days') }}
    where is_purchase
),

contracts as (
    select
        subscriptions.subscription_id,
        subscriptions.customer_id,
        cast(subscriptions.started_at as date) as start_date,
        case
            when cast(subscriptions.ended_at as date) <= live.cutoff_date
                then cast(subscriptions.ended_at as date)
            else cast('9999-12-31' as date)
        end as end_date
    from {{ ref('stg_shop__subscriptions') }} as subscriptions
    inner join live on cast(subscriptions.started_at as date) <= live.cutoff_date
    inner join customers on subscriptions.customer_id = customers.customer_id
    where customers.relationship = 'contractual'
),

contracts_with_ends_before as (
    select
        customer_id,
        subscription_id,
        start_date,
        end_date,
        max(end_date) over (
            partition by customer_id
            order by start_date, end_date, subscription_id
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from contracts
),

contracts_in_stays as (
    select
        customer_id,
        start_date,
        end_date,
        sum(case when start_date <= latest_end_before then 0 else 1 end) over (
            partition by customer_id
            order by start_date, end_date, subscription_id
            rows between unbounded preceding and current row
        ) as stay_number
    from contracts_with_ends_before
),

contract_stays as (
    select
        customer_id,
        stay_number,
        min(start_date) as start_date,
        max(end_date) as end_date
    from contracts_in_stays
    group by customer_id, stay_number
),

contract_events as (
    select
        customer_id,
        start_date as event_date,
        case when stay_number = 1 then 'new' else 'won_back' end as event_type
    from contract_stays

    union all

    select
        customer_id,
        end_date as event_date,
        'churned' as event_type
    from contract_stays
    where end_date < cast('9999-12-31' as date)
),

contract_customers as (
    select distinct customer_id
    from contracts
),

-- a first purchase, or one after too long a gap
purchases_that_start_a_stay as (
    select
        purchases.customer_id,
        purchases.activity_date as event_date,
        case when purchases.purchase_number = 1 then 'new' else 'won_back' end
            as event_type,
        {{ add_days('purchases.previous_purchase_date', 'threshold.inactivity_days') }}
            as churned_date
    from purchases
    cross join threshold
    where
        purchases.purchase_number = 1
        or purchases.days_since_previous_purchase > threshold.inactivity_days
),

last_purchases as (
    select
        features.customer_id,
        {{ add_days('features.last_purchase_date', 'threshold.inactivity_days') }}
            as churned_date
    from {{ ref('int_customer_features') }} as features
    cross join threshold
    where
        features.cutoff = 'live'
        and features.days_since_last_purchase >= threshold.inactivity_days
),

purchase_events as (
    select
        customer_id,
        event_date,
        event_type
    from purchases_that_start_a_stay

    union all

    select
        customer_id,
        churned_date as event_date,
        'churned' as event_type
    from purchases_that_start_a_stay
    where event_type = 'won_back'

    union all

    select
        customer_id,
        churned_date as event_date,
        'churned' as event_type
    from last_purchases
),

events as (
    select
        customer_id,
        'contractual' as relationship,
        event_date,
        event_type
    from contract_events

    union all

    select
        purchase_events.customer_id,
        'noncontractual' as relationship,
        purchase_events.event_date,
        purchase_events.event_type
    from purchase_events
    left join contract_customers
        on purchase_events.customer_id = contract_customers.customer_id
    where contract_customers.customer_id is null
),

numbered as (
    select
        customer_id,
        relationship,
        event_date,
        event_type,
        row_number() over customer_events as event_number,
        lag(event_date) over customer_events as previous_event_date
    from events
    -- a contract may end on the day it starts
    window customer_events as (
        partition by customer_id
        order by event_date, case when event_type = 'churned' then 1 else 0 end
    )
),

final as (
    select
        numbered.customer_id,
        numbered.event_date,
        {{ month_start('numbered.event_date') }} as event_month,
        numbered.event_number,
        numbered.event_type,
        numbered.relationship,
        customers.acquisition_channel,
        case
            when numbered.event_type = 'churned' then numbered.previous_event_date
            else numbered.event_date
        end as stay_start_date
    from numbered
    inner join customers on numbered.customer_id = customers.customer_id
)

select * from final
