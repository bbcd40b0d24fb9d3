-- Everyone who took part in an experiment, what was known of them before, and what they
-- did in the window: from the moment of assignment to the end of the day that is
-- experiment_window_days later. Before that day is over nothing is said of the outcome.
-- Tier and buyer class are those before the assignment, which the treatment can't have
-- touched. Who was assigned to two arms of one experiment is marked: the accepted row
-- tells one of them, the rows that it superseded tell the other.
-- Nobody is left out for not being known otherwise: that would leave out those who did
-- not buy.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

assignments as (
    select
        experiment_id,
        customer_id,
        arm,
        assigned_at,
        cast(assigned_at as date) as assigned_date,
        cost_amount,
        row_outcome
    from {{ ref('base_shop__experiments') }}
    where row_outcome in ('accepted', 'duplicate')
),

known as (
    select
        assignments.*,
        {{ add_days(
            'assignments.assigned_date',
            setting_number('experiment_window_days', minimum=1, whole=true)
        ) }} as outcome_end_date
    from assignments
    inner join live on assignments.assigned_date <= live.cutoff_date
),

participants as (
    select
        experiment_id,
        customer_id,
        max(case when row_outcome = 'accepted' then arm end) as arm,
        max(case when row_outcome = 'accepted' then assigned_at end) as assigned_at,
        max(case when row_outcome = 'accepted' then assigned_date end)
            as assigned_date,
        max(case when row_outcome = 'accepted' then outcome_end_date end)
            as outcome_end_date,
        max(case when row_outcome = 'accepted' then cost_amount end) as cost_amount,
        min(arm) <> max(arm) as is_contaminated
    from known
    group by experiment_id, customer_id
    having max(case when row_outcome = 'accepted' then 1 else 0 end) = 1
),

-- only on the day of the assignment does it matter at what time an order came
days as (
    select
        participants.experiment_id,
        participants.customer_id,
        customer_days.activity_date < participants.assigned_date as is_before,
        customer_days.revenue_amount,
        customer_days.margin_amount
    from participants
    inner join {{ ref('int_customer_days') }} as customer_days
        on participants.customer_id = customer_days.customer_id
    where
        customer_days.activity_date <> participants.assigned_date
        and customer_days.activity_date <= participants.outcome_end_date

    union all

    select
        participants.experiment_id,
        participants.customer_id,
        orders.ordered_at < participants.assigned_at as is_before,
        sum(orders.revenue_amount) as revenue_amount,
        sum(orders.margin_amount) as margin_amount
    from participants
    inner join {{ ref('fct_orders') }} as orders
        on
            participants.customer_id = orders.customer_id
            and participants.assigned_date = orders.order_date
    where orders.order_state = 'completed'
    group by
        participants.experiment_id,
        participants.customer_id,
        orders.ordered_at < participants.assigned_at
),

purchases as (
    select
        experiment_id,
        customer_id,
        count(case when is_before and revenue_amount > 0 then 1 end)
            as purchases_before,
        count(case when not is_before and revenue_amount > 0 then 1 end)
            as purchases_after,
        sum(case when is_before then revenue_amount end) as revenue_before,
        sum(case when is_before then margin_amount end) as margin_before,
        sum(case when not is_before then revenue_amount end) as revenue_after,
        sum(case when not is_before then margin_amount end) as margin_after
    from days
    group by experiment_id, customer_id
),

visitors as (
    select distinct
        participants.experiment_id,
        participants.customer_id
    from participants
    inner join {{ ref('stg_shop__events') }} as events
        on participants.customer_id = events.customer_id
    where
        events.occurred_at >= participants.assigned_at
        and cast(events.occurred_at as date) <= participants.outcome_end_date
),

-- who has come, or come back, more often than left is a customer at the window's end
stayers as (
    select
        participants.experiment_id,
        participants.customer_id
    from participants
    inner join {{ ref('int_churn_events') }} as churn_events
        on participants.customer_id = churn_events.customer_id
    where churn_events.event_date <= participants.outcome_end_date
    group by participants.experiment_id, participants.customer_id
    having sum(case churn_events.churn_event when 'churned' then -1 else 1 end) > 0
),

joined as (
    select
        participants.experiment_id,
        participants.customer_id,
        participants.arm,
        participants.assigned_date,
        participants.outcome_end_date,
        participants.cost_amount,
        participants.is_contaminated,
        coalesce(purchases.purchases_before, 0) as purchases_before,
        coalesce(purchases.revenue_before, 0) as revenue_before,
        coalesce(purchases.margin_before, 0) as margin_before,
        coalesce(purchases.revenue_after, 0) as revenue_after,
        coalesce(purchases.margin_after, 0) as margin_after,
        visitors.customer_id is not null as has_visited,
        coalesce(purchases.purchases_after, 0) > 0 as has_bought,
        stayers.customer_id is not null as has_stayed,
        participants.outcome_end_date <= live.cutoff_date as is_mature
    from participants
    cross join live
    left join purchases
        on
            participants.experiment_id = purchases.experiment_id
            and participants.customer_id = purchases.customer_id
    left join visitors
        on
            participants.experiment_id = visitors.experiment_id
            and participants.customer_id = visitors.customer_id
    left join stayers
        on
            participants.experiment_id = stayers.experiment_id
            and participants.customer_id = stayers.customer_id
),

final as (
    select
        experiment_id,
        customer_id,
        arm,
        assigned_date,
        outcome_end_date,
        case
            when purchases_before = 0 then 'never bought'
            when purchases_before = 1 then 'bought once'
            else 'repeat buyer'
        end as buyer_class_before,
        {{ margin_tier('margin_before', within='experiment_id') }}
            as value_tier_before,
        {{ money('revenue_before') }} as revenue_before_amount,
        {{ money('cost_amount') }} as treatment_cost_amount,
        {{ money('case when is_mature then revenue_after end') }}
            as revenue_after_amount,
        {{ money('case when is_mature then margin_after end') }}
            as margin_after_amount,
        case when is_mature then has_visited end as has_visited,
        case when is_mature then has_bought end as has_bought,
        case when is_mature then has_stayed end as has_stayed,
        is_contaminated,
        is_mature
    from joined
)

select * from final
