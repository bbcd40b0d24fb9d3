-- When each customer came, left and came back.
-- Without contract: who buys nothing for longer than the threshold has left on the day
-- of the last purchase + threshold; a purchase after that day is a win-back, a purchase
-- on that very day is not. On the evening of that day the silence is certain to outlast
-- the threshold, so the event is known on its own date, whatever the cutoff.
-- With contract: a customer stays while any contract runs, and outside of contracts for
-- as long after a purchase as one without contract would. What overlaps or touches (one
-- ends on the day another starts) is one stay; the end of a stay is churn, a later
-- start is a win-back. An end after the live cutoff is not known yet.
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

customers as {{ inlined() }} (
    select
        customer_id,
        relationship,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

purchases as {{ inlined() }} (
    select
        customer_id,
        activity_date,
        purchase_number,
        previous_purchase_date,
        days_since_previous_purchase
    from {{ ref('int_customer_days') }}
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

purchases_outside_contracts as (
    select
        purchases.customer_id,
        purchases.activity_date as start_date,
        {{ add_days('purchases.activity_date', 'threshold.inactivity_days') }}
            as silent_date
    from purchases
    cross join threshold
    where
        purchases.purchase_number is not null
        and purchases.customer_id in (select contracts.customer_id from contracts)
        and not exists (
            select 1
            from contracts
            where
                contracts.customer_id = purchases.customer_id
                and contracts.start_date <= purchases.activity_date
                and contracts.end_date > purchases.activity_date
        )
),

contracts_and_purchases as (
    select
        customer_id,
        subscription_id,
        start_date,
        end_date
    from contracts

    union all

    select
        purchases_outside_contracts.customer_id,
        'purchase' as subscription_id,
        purchases_outside_contracts.start_date,
        case
            when purchases_outside_contracts.silent_date <= live.cutoff_date
                then purchases_outside_contracts.silent_date
            else cast('9999-12-31' as date)
        end as end_date
    from purchases_outside_contracts
    cross join live
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
    from contracts_and_purchases
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

contract_customers as (
    select distinct customer_id
    from contract_stays
),

-- a first purchase, or one after too long a gap, which ended the stay before
purchases_that_start_a_stay as (
    select
        purchases.customer_id,
        purchases.activity_date as start_date,
        {{ add_days('purchases.previous_purchase_date', 'threshold.inactivity_days') }}
            as previous_end_date
    from purchases
    cross join threshold
    where
        purchases.purchase_number = 1
        or purchases.days_since_previous_purchase > threshold.inactivity_days
),

purchase_stays as (
    select
        customer_id,
        row_number() over (partition by customer_id order by start_date) as stay_number,
        start_date,
        lead(previous_end_date) over (partition by customer_id order by start_date)
            as end_date
    from purchases_that_start_a_stay
),

silences as (
    select
        features.customer_id,
        {{ add_days('features.last_purchase_date', 'threshold.inactivity_days') }}
            as end_date
    from {{ ref('int_customer_features') }} as features
    cross join threshold
    where
        features.cutoff = 'live'
        and features.days_since_last_purchase >= threshold.inactivity_days
),

stays as (
    select
        customer_id,
        'contractual' as relationship,
        stay_number,
        start_date,
        case when end_date < cast('9999-12-31' as date) then end_date end as end_date
    from contract_stays

    union all

    select
        purchase_stays.customer_id,
        'noncontractual' as relationship,
        purchase_stays.stay_number,
        purchase_stays.start_date,
        -- the last stay may have ended in silence
        coalesce(purchase_stays.end_date, silences.end_date) as end_date
    from purchase_stays
    left join silences on purchase_stays.customer_id = silences.customer_id
    left join contract_customers
        on purchase_stays.customer_id = contract_customers.customer_id
    where contract_customers.customer_id is null
),

stays_with_channel as (
    select
        stays.*,
        customers.acquisition_channel
    from stays
    inner join customers on stays.customer_id = customers.customer_id
),

final as (
    select
        customer_id,
        start_date as event_date,
        {{ month_start('start_date') }} as event_month,
        cast(2 * stay_number - 1 as bigint) as event_number,
        case when stay_number = 1 then 'new' else 'won_back' end as churn_event,
        relationship,
        acquisition_channel,
        start_date as stay_start_date
    from stays_with_channel

    union all

    select
        customer_id,
        end_date as event_date,
        {{ month_start('end_date') }} as event_month,
        cast(2 * stay_number as bigint) as event_number,
        'churned' as churn_event,
        relationship,
        acquisition_channel,
        start_date as stay_start_date
    from stays_with_channel
    where end_date is not null
)

select * from final
