-- On which days each customer's stage changed. A stage follows from events alone: what
-- the customer buys, the paid months of a contract (each counts as a purchase on the
-- day it begins), a silence that reaches a bound, and churn. From one event to the next
-- nothing changes, so nothing is stored.
-- Growing is decided on the day of each purchase: the latest three brought at least a
-- quarter more revenue a day than all since the customer came, or came back. It is the
-- customer's own pace, in purchases, so that it asks for no full year of history.
-- While a contract runs nobody is silent.
{% set customer_events -%}
(
    partition by events.customer_id
    order by events.event_date
)
{%- endset %}
{% set customer_events_so_far -%}
(
    partition by events.customer_id
    order by events.event_date
    rows between unbounded preceding and current row
)
{%- endset %}
{% set stay_events -%}
(
    partition by customer_id, stay_number
    order by event_date
    rows between unbounded preceding and current row
)
{%- endset %}
{% set latest_events -%}
(
    partition by customer_id, stay_number
    order by event_date
    rows between 2 preceding and current row
)
{%- endset %}

with

customers as (
    select
        customer_id,
        acquired_date
    from {{ ref('dim_customers') }}
),

live as (
    select
        cutoff_date,
        first_order_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

paid_months as (
    select
        customer_id,
        paid_date,
        fee_amount,
        contract_end_date
    from {{ ref('int_paid_months') }}
),

purchases as (
    select
        customer_id,
        activity_date,
        revenue_amount
    from {{ ref('int_customer_days') }}
    where purchase_number is not null
),

-- who buys on the day on which a paid month begins has one event
events as (
    select
        coalesce(purchases.customer_id, paid_months.customer_id)
            as customer_id,
        coalesce(purchases.activity_date, paid_months.paid_date)
            as event_date,
        purchases.activity_date as purchase_date,
        coalesce(purchases.revenue_amount, 0)
        + coalesce(paid_months.fee_amount, 0) as revenue_amount,
        paid_months.contract_end_date
    from purchases
    full join paid_months
        on
            purchases.customer_id = paid_months.customer_id
            and purchases.activity_date = paid_months.paid_date
),

stays as (
    select
        customer_id,
        stay_start_date,
        max(case when churn_event = 'churned' then event_date end) as churned_date,
        max(case when churn_event = 'new' then event_date end) as first_event_date
    from {{ ref('int_churn_events') }}
    group by customer_id, stay_start_date
),

events_in_stays as (
    select
        events.customer_id,
        events.event_date,
        events.purchase_date,
        events.revenue_amount,
        stays.churned_date,
        row_number() over {{ customer_events }} as bought_count,
        lead(events.event_date) over {{ customer_events }} as next_event_date,
        max(events.contract_end_date) over {{ customer_events_so_far }}
            as contract_end_date,
        count(stays.stay_start_date) over {{ customer_events_so_far }} as stay_number
    from events
    left join stays
        on
            events.customer_id = stays.customer_id
            and events.event_date = stays.stay_start_date
),

events_paced as (
    select
        customer_id,
        event_date,
        next_event_date,
        contract_end_date,
        case when stay_number = 1 then 'active' else 'won_back' end as churn_state,
        bought_count,
        row_number() over {{ stay_events }} as stay_bought_count,
        first_value(churned_date) over {{ stay_events }} as churned_date,
        -- a purchase while a contract runs keeps nobody when the contract has ended
        max(
            case
                when coalesce(contract_end_date <= event_date, true) then purchase_date
            end
        ) over {{ stay_events }} as silence_start_date,
        -- over a window without a frame: with one Spark takes no lag
        {{ days_between(
            'lag(event_date, 3) over'
            ~ ' (partition by customer_id, stay_number order by event_date)',
            'event_date'
        ) }} as latest_days,
        {{ days_between('first_value(event_date) over ' ~ stay_events, 'event_date') }}
            as stay_days,
        sum(revenue_amount) over {{ latest_events }} as latest_revenue_amount,
        -- the first purchase of a stay ends no gap, and so is no part of the pace
        sum(revenue_amount) over {{ stay_events }}
        - first_value(revenue_amount) over {{ stay_events }} as stay_revenue_amount
    from events_in_stays
),

cases as (
    select
        churn_state,
        bought_count,
        stay_bought_count,
        silence_rate,
        silence_bound_days,
        stage_order,
        stage,
        is_growing
    from {{ ref('int_stage_cases') }}
),

limits as (
    select
        max(bought_count) as bought_limit,
        max(stay_bought_count) as stay_bought_limit
    from cases
),

events_judged as (
    select
        events_paced.customer_id,
        events_paced.event_date,
        events_paced.next_event_date,
        events_paced.contract_end_date,
        events_paced.churned_date,
        events_paced.silence_start_date,
        events_paced.bought_count,
        events_paced.stay_bought_count,
        events_paced.churn_state,
        least(events_paced.bought_count, limits.bought_limit) as case_bought_count,
        least(events_paced.stay_bought_count, limits.stay_bought_limit)
            as case_stay_bought_count,
        -- revenue a day against revenue a day, without a division
        coalesce(
            events_paced.stay_revenue_amount > 0
            and events_paced.latest_revenue_amount * events_paced.stay_days
            >= 1.25 * events_paced.stay_revenue_amount * events_paced.latest_days,
            false
        ) as is_growing
    from events_paced
    cross join limits
),

silence_bounds as (
    select distinct
        silence_rate,
        silence_bound_days
    from cases
    where silence_rate > 0
),

silences as (
    select
        events_judged.customer_id,
        events_judged.event_date,
        events_judged.next_event_date,
        events_judged.churned_date,
        events_judged.churn_state,
        events_judged.case_bought_count,
        events_judged.case_stay_bought_count,
        events_judged.is_growing,
        silence_bounds.silence_rate,
        greatest(
            {{ add_days(
                'events_judged.silence_start_date', 'silence_bounds.silence_bound_days'
            ) }},
            coalesce(events_judged.contract_end_date, events_judged.event_date)
        ) as silent_date
    from events_judged
    inner join silence_bounds
        -- most gaps are too short, and need no further look
        on
            coalesce(
                {{ days_between(
                    'events_judged.silence_start_date', 'events_judged.next_event_date'
                ) }} > silence_bounds.silence_bound_days,
                events_judged.silence_start_date is not null
            )
),

-- two bounds may be reached on one day, that on which a contract ends
silences_reached as (
    select
        silences.customer_id,
        silences.silent_date,
        max(silences.churn_state) as churn_state,
        max(silences.case_bought_count) as case_bought_count,
        max(silences.case_stay_bought_count) as case_stay_bought_count,
        max(silences.silence_rate) as silence_rate,
        max(case when silences.is_growing then 1 else 0 end) = 1 as is_growing
    from silences
    inner join live on silences.silent_date <= live.cutoff_date
    where
        silences.silent_date > silences.event_date
        and coalesce(silences.silent_date < silences.next_event_date, true)
        and coalesce(silences.silent_date < silences.churned_date, true)
    group by silences.customer_id, silences.silent_date
),

-- whatever may change a stage: at most one row per customer and day
points as (
    select
        customers.customer_id,
        coalesce(customers.acquired_date, live.first_order_date) as from_date,
        'active' as churn_state,
        0 as bought_count,
        0 as stay_bought_count,
        0 as silence_rate,
        false as is_growing
    from customers
    cross join live
    left join stays
        on
            customers.customer_id = stays.customer_id
            and stays.first_event_date is not null
    where
        stays.customer_id is null
        or stays.first_event_date > customers.acquired_date

    union all

    select
        customer_id,
        event_date as from_date,
        -- a contract may end on the day on which it began
        case when churned_date = event_date then 'churned' else churn_state end
            as churn_state,
        case_bought_count as bought_count,
        case_stay_bought_count as stay_bought_count,
        0 as silence_rate,
        is_growing
    from events_judged

    union all

    select
        customer_id,
        silent_date as from_date,
        churn_state,
        case_bought_count as bought_count,
        case_stay_bought_count as stay_bought_count,
        silence_rate,
        is_growing
    from silences_reached

    union all

    select
        customer_id,
        churned_date as from_date,
        'churned' as churn_state,
        case_bought_count as bought_count,
        case_stay_bought_count as stay_bought_count,
        0 as silence_rate,
        is_growing
    from events_judged
    where
        churned_date > event_date
        and coalesce(churned_date < next_event_date, true)
),

compared as (
    select
        points.customer_id,
        points.from_date,
        cases.stage_order,
        lag(cases.stage_order) over (
            partition by points.customer_id order by points.from_date
        ) as previous_stage_order
    from points
    inner join cases
        on
            points.churn_state = cases.churn_state
            and points.bought_count = cases.bought_count
            and points.stay_bought_count = cases.stay_bought_count
            and points.silence_rate = cases.silence_rate
            and points.is_growing = cases.is_growing
),

changed as (
    select
        customer_id,
        from_date,
        lead(from_date) over (partition by customer_id order by from_date)
            as until_date,
        stage_order,
        previous_stage_order
    from compared
    where coalesce(stage_order != previous_stage_order, true)
),

-- a condition on the left side of a left join is slow on DuckDB, a key is not
changed_with_key as (
    select
        customer_id,
        from_date,
        until_date,
        stage_order,
        previous_stage_order,
        case when until_date is null then customer_id end as present_customer_id
    from changed
),

latest_events as (
    select
        events_judged.customer_id,
        case
            when events_judged.churned_date is null then events_judged.churn_state
            else 'churned'
        end as churn_state,
        events_judged.bought_count,
        events_judged.stay_bought_count,
        case
            when
                events_judged.churned_date is null
                and coalesce(events_judged.contract_end_date <= live.cutoff_date, true)
                then events_judged.silence_start_date
        end as silent_since_date,
        events_judged.is_growing
    from events_judged
    cross join live
    where events_judged.next_event_date is null
),

stages as (
    select distinct
        stage_order,
        stage
    from cases
),

final as (
    select
        changed_with_key.customer_id,
        changed_with_key.from_date,
        changed_with_key.until_date,
        stages.stage,
        previous_stages.stage as previous_stage,
        case
            when changed_with_key.until_date is null
                then coalesce(latest_events.churn_state, 'active')
        end as churn_state,
        case
            when changed_with_key.until_date is null
                then cast(coalesce(latest_events.bought_count, 0) as bigint)
        end as bought_count,
        case
            when changed_with_key.until_date is null
                then cast(coalesce(latest_events.stay_bought_count, 0) as bigint)
        end as stay_bought_count,
        latest_events.silent_since_date,
        case
            when changed_with_key.until_date is null
                then coalesce(latest_events.is_growing, false)
        end as is_growing
    from changed_with_key
    inner join stages on changed_with_key.stage_order = stages.stage_order
    left join stages as previous_stages
        on changed_with_key.previous_stage_order = previous_stages.stage_order
    left join latest_events
        on changed_with_key.present_customer_id = latest_events.customer_id
)

select * from final
