-- Contracts of one customer that overlap or touch (one ends on the day another starts)
-- are one relationship: a change of plan is no end. A start after a break of a day or
-- more is a new one. Starts after the live cutoff are not known yet, and what ends
-- after it still runs.
-- A contract is renewed each month, on the day of the month on which the relationship
-- started (or the month's last). Renewals survived are those up to the cutoff, or
-- before the day of the end: who leaves on the day of the fourth renewal survived
-- three.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

subscriptions as (
    select
        subscription_id,
        customer_id,
        cast(started_at as date) as started_date,
        cast(ended_at as date) as ended_date,
        monthly_amount
    from {{ ref('stg_shop__subscriptions') }}
),

contracts as (
    select
        subscriptions.subscription_id,
        subscriptions.customer_id,
        subscriptions.started_date,
        case
            when subscriptions.ended_date <= live.cutoff_date
                then subscriptions.ended_date
            else cast('9999-12-31' as date)
        end as ended_date,
        subscriptions.monthly_amount,
        live.cutoff_date
    from subscriptions
    inner join live on subscriptions.started_date <= live.cutoff_date
),

contracts_with_ends_before as (
    select
        subscription_id,
        customer_id,
        started_date,
        ended_date,
        monthly_amount,
        cutoff_date,
        max(ended_date) over (
            partition by customer_id
            order by started_date, ended_date, subscription_id
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from contracts
),

contracts_in_relationships as (
    select
        customer_id,
        started_date,
        ended_date,
        monthly_amount,
        cutoff_date,
        sum(case when started_date <= latest_end_before then 0 else 1 end) over (
            partition by customer_id
            order by started_date, ended_date, subscription_id
            rows between unbounded preceding and current row
        ) as relationship_number
    from contracts_with_ends_before
),

relationships as (
    select
        customer_id,
        relationship_number,
        cutoff_date,
        min(started_date) as started_date,
        case
            when max(ended_date) <= cutoff_date then max(ended_date)
        end as ended_date,
        sum(case when ended_date > cutoff_date then monthly_amount end)
            as monthly_amount
    from contracts_in_relationships
    group by customer_id, relationship_number, cutoff_date
),

-- the last day on which it is certain to have run
observed as (
    select
        customer_id,
        started_date,
        ended_date,
        monthly_amount,
        case
            when ended_date is null then cutoff_date
            else {{ add_days('ended_date', -1) }}
        end as last_date
    from relationships
),

-- calendar months begun, of which the last may not be full
counted as (
    select
        customer_id,
        started_date,
        ended_date,
        monthly_amount,
        last_date,
        {{ months_between('started_date', 'last_date') }} as calendar_months
    from observed
),

final as (
    select
        customer_id,
        started_date,
        ended_date,
        -- 0 for what ended on the day it started
        cast(greatest(
            0,
            case
                when {{ add_months('started_date', 'calendar_months') }} <= last_date
                    then calendar_months
                else calendar_months - 1
            end
        ) as bigint) as renewal_count,
        {{ money('monthly_amount') }} as monthly_amount,
        ended_date is not null as is_ended
    from counted
)

select * from final
