-- Where each customer stands on the evening of the live cutoff, and what comes next:
-- the next stage if the customer stays silent, with its day; the stage after a purchase
-- tomorrow (who grows goes on growing, unless silent for long); and where those who
-- leave the stage within a month most often go.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

cases as (
    select
        churn_state,
        bought_count,
        stay_bought_count,
        silence_rate,
        silence_bound_days,
        stage,
        is_growing
    from {{ ref('int_stage_cases') }}
),

limits as (
    select
        max(bought_count) as bought_limit,
        max(stay_bought_count) as stay_bought_limit,
        min(case when silence_rate > 0 then silence_bound_days end)
            as first_bound_days
    from cases
),

customers as (
    select
        changes.customer_id,
        changes.stage,
        changes.previous_stage,
        changes.from_date as stage_since_date,
        live.cutoff_date,
        threshold.inactivity_days,
        changes.churn_state,
        least(changes.bought_count, limits.bought_limit) as bought_count,
        least(changes.stay_bought_count, limits.stay_bought_limit)
            as stay_bought_count,
        -- a return starts a new stay
        case
            when changes.churn_state = 'churned' then 'won_back'
            else changes.churn_state
        end as next_churn_state,
        least(changes.bought_count + 1, limits.bought_limit)
            as next_bought_count,
        case
            when changes.churn_state = 'churned' then 1
            else
                least(changes.stay_bought_count + 1, limits.stay_bought_limit)
        end as next_stay_bought_count,
        changes.is_growing
        and changes.churn_state != 'churned'
        and coalesce(
            {{ days_between('changes.silent_since_date', 'live.cutoff_date') }}
            < limits.first_bound_days,
            true
        ) as next_is_growing,
        changes.silent_since_date,
        changes.is_growing
    from {{ ref('int_stage_changes') }} as changes
    cross join live
    cross join threshold
    cross join limits
    where changes.until_date is null
),

-- the bounds of silence that lie ahead, and churn as the last of them
silences as (
    select
        customers.customer_id,
        cases.stage as next_stage,
        cases.silence_bound_days
    from customers
    inner join cases
        on
            customers.churn_state = cases.churn_state
            and customers.bought_count = cases.bought_count
            and customers.stay_bought_count = cases.stay_bought_count
            and customers.is_growing = cases.is_growing
            and {{ days_between(
                'customers.silent_since_date', 'customers.cutoff_date'
            ) }} < cases.silence_bound_days
            and customers.stage != cases.stage
    where customers.silent_since_date is not null and cases.silence_rate > 0

    union all

    select
        customers.customer_id,
        cases.stage as next_stage,
        customers.inactivity_days as silence_bound_days
    from customers
    inner join cases
        on
            customers.bought_count = cases.bought_count
            and customers.stay_bought_count = cases.stay_bought_count
            and customers.is_growing = cases.is_growing
            and cases.churn_state = 'churned'
            and cases.silence_rate = 0
            and customers.stage != cases.stage
    where customers.silent_since_date is not null
),

silences_ranked as (
    select
        customer_id,
        next_stage,
        silence_bound_days,
        row_number() over (partition by customer_id order by silence_bound_days)
            as silence_rank
    from silences
),

transitions as (
    select
        from_stage,
        to_stage,
        transition_rate,
        row_number() over (
            partition by from_stage
            order by pair_month_count desc, to_stage asc
        ) as transition_rank
    from {{ ref('int_stage_transitions') }}
    where from_stage != to_stage
),

final as (
    select
        customers.customer_id,
        customers.stage_since_date,
        customers.stage,
        customers.previous_stage,
        silences_ranked.next_stage as stage_if_silent,
        {{ add_days(
            'customers.silent_since_date', 'silences_ranked.silence_bound_days'
        ) }} as stage_if_silent_date,
        purchased.stage as stage_if_bought,
        transitions.to_stage as likeliest_next_stage,
        transitions.transition_rate as likeliest_next_stage_month_rate,
        {{ days_between('customers.stage_since_date', 'customers.cutoff_date') }}
            as stage_days
    from customers
    left join silences_ranked
        on
            customers.customer_id = silences_ranked.customer_id
            and silences_ranked.silence_rank = 1
    left join cases as purchased
        on
            customers.next_churn_state = purchased.churn_state
            and customers.next_bought_count = purchased.bought_count
            and customers.next_stay_bought_count = purchased.stay_bought_count
            and customers.next_is_growing = purchased.is_growing
            and purchased.silence_rate = 0
    left join transitions
        on
            customers.stage = transitions.from_stage
            and transitions.transition_rank = 1
)

select * from final
