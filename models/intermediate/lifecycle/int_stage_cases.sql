-- Which stage each case has that a customer can be in: the first rule of
-- lifecycle_stages that fits. More purchases than any rule asks for make no difference,
-- so that there are few cases, and each purchase finds its stage by a plain join.
with

rules as (
    select
        stage_order,
        stage,
        churn_state,
        minimum_purchase_count,
        maximum_purchase_count,
        maximum_stay_purchase_count,
        minimum_silence_rate,
        is_growing
    from {{ ref('lifecycle_stages') }}
),

-- one more than any rule speaks of stands for all above
limits as (
    select
        1 + coalesce(greatest(
            max(coalesce(minimum_purchase_count, 0)),
            max(coalesce(maximum_purchase_count, 0))
        ), 0) as bought_limit,
        1 + coalesce(max(maximum_stay_purchase_count), 0) as stay_bought_limit
    from rules
),

churn_states as (
    select 'active' as churn_state

    union all

    select 'won_back' as churn_state

    union all

    select 'churned' as churn_state
),

silences as (
    select cast(0 as decimal(9, 6)) as silence_rate

    union all

    select distinct minimum_silence_rate as silence_rate
    from rules
    where minimum_silence_rate is not null
),

growths as (
    select true as is_growing

    union all

    select false as is_growing
),

cases as (
    select
        churn_states.churn_state,
        purchases.n as bought_count,
        stay_purchases.n as stay_bought_count,
        silences.silence_rate,
        growths.is_growing
    from limits
    inner join {{ numbers(100) }} as purchases
        on limits.bought_limit >= purchases.n
    inner join {{ numbers(100) }} as stay_purchases
        on limits.stay_bought_limit >= stay_purchases.n
    cross join churn_states
    cross join silences
    cross join growths
),

first_rules as (
    select
        cases.churn_state,
        cases.bought_count,
        cases.stay_bought_count,
        cases.silence_rate,
        cases.is_growing,
        min(rules.stage_order) as stage_order
    from cases
    left join rules
        on
            cases.churn_state = coalesce(rules.churn_state, cases.churn_state)
            and cases.bought_count >= coalesce(rules.minimum_purchase_count, 0)
            and cases.bought_count
            <= coalesce(rules.maximum_purchase_count, cases.bought_count)
            and cases.stay_bought_count
            <= coalesce(rules.maximum_stay_purchase_count, cases.stay_bought_count)
            and cases.silence_rate >= coalesce(rules.minimum_silence_rate, 0)
            and cases.is_growing = coalesce(rules.is_growing, cases.is_growing)
    group by
        cases.churn_state,
        cases.bought_count,
        cases.stay_bought_count,
        cases.silence_rate,
        cases.is_growing
),

final as (
    select
        first_rules.churn_state,
        cast(first_rules.bought_count as bigint) as bought_count,
        cast(first_rules.stay_bought_count as bigint) as stay_bought_count,
        first_rules.silence_rate,
        cast(ceil(first_rules.silence_rate * threshold.inactivity_days) as integer)
            as silence_bound_days,
        first_rules.stage_order,
        rules.stage,
        first_rules.is_growing
    from first_rules
    cross join {{ ref('int_churn_threshold') }} as threshold
    left join rules on first_rules.stage_order = rules.stage_order
)

select * from final
