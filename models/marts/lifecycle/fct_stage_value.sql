-- What a customer in each stage is worth by a Markov chain (Pfeifer & Carraway 2000):
-- each month the customer brings the mean margin of the stage and moves on by the
-- transition matrix of the last twelve complete months, discounted, until the horizon.
-- It learns from other numbers than fct_customer_value does, so that the one checks the
-- other. A chain over a horizon needs no final stage: who churned may come back.
with

stages as (
    select
        stage_order,
        stage
    from {{ ref('lifecycle_stages') }}
),

changes as (
    select
        customer_id,
        from_date,
        until_date,
        stage
    from {{ ref('int_stage_changes') }}
),

transitions as (
    select
        from_stage,
        to_stage,
        customer_month_count,
        transition_rate
    from {{ ref('int_stage_transitions') }}
),

customer_values as (
    select
        customer_id,
        residual_value_amount
    from {{ ref('fct_customer_value') }}
),

customer_months as (
    select
        months.customer_id,
        months.activity_month,
        months.margin_amount
    from {{ ref('fct_customer_months') }} as months
    inner join {{ ref('int_cutoff_dates') }} as cutoffs on cutoffs.cutoff = 'live'
    where
        -- the twelve complete months of the transitions
        months.activity_month < {{ month_start(add_days('cutoffs.cutoff_date', 1)) }}
        and months.activity_month >= {{ add_months(
            month_start(add_days('cutoffs.cutoff_date', 1)), -12
        ) }}
),

-- margin of the months of those who were in the stage when the month began
margins as (
    select
        changes.stage,
        sum(customer_months.margin_amount) as margin_amount
    from customer_months
    inner join changes
        on
            customer_months.customer_id = changes.customer_id
            and customer_months.activity_month > changes.from_date
            and coalesce(customer_months.activity_month <= changes.until_date, true)
    group by changes.stage
),

counted as (
    select
        from_stage,
        max(customer_month_count) as customer_month_count,
        sum(case when from_stage = to_stage then transition_rate end) as staying_rate
    from transitions
    group by from_stage
),

rewards as (
    select
        stages.stage,
        stages.stage as state,
        stages.stage_order,
        coalesce(counted.customer_month_count, 0) as customer_month_count,
        case
            when counted.from_stage is not null then coalesce(counted.staying_rate, 0)
        end as staying_rate,
        {{ ratio(
            'coalesce(margins.margin_amount, 0)', 'counted.customer_month_count'
        ) }} as reward
    from stages
    left join counted on stages.stage = counted.from_stage
    left join margins on stages.stage = margins.stage
),

chain as (
    select
        from_stage as from_state,
        to_stage as to_state,
        transition_rate
    from transitions
),

chain_values as (
    {{ markov_chain_value(
        'chain', 'rewards',
        rate_per_period(setting_number('discount_rate_annual', minimum=0, maximum=10)),
        setting_number('value_horizon_months', minimum=1, whole=true) | int
    ) | indent(4) }}
),

current_customers as (
    select
        changes.stage,
        count(*) as customer_count,
        avg(customer_values.residual_value_amount) as residual_value_amount
    from changes
    left join customer_values on changes.customer_id = customer_values.customer_id
    where changes.until_date is null
    group by changes.stage
),

valued as (
    select
        rewards.stage,
        rewards.stage_order,
        coalesce(current_customers.customer_count, 0) as customer_count,
        rewards.customer_month_count,
        rewards.staying_rate,
        {{ money('rewards.reward') }} as monthly_margin_amount,
        -- a month's margin comes in its middle; below 30 customer-months it says little
        case when rewards.customer_month_count >= 30 then
            {{ money(product([
                'chain_values.state_value',
                discount_factor(
                    setting_number('discount_rate_annual', minimum=0, maximum=10),
                    1, timing='mid'
                ),
            ])) }}
        end as markov_value_amount,
        {{ money('current_customers.residual_value_amount') }}
            as residual_value_amount
    from rewards
    inner join chain_values on rewards.state = chain_values.state
    left join current_customers on rewards.state = current_customers.stage
),

final as (
    select
        stage,
        stage_order,
        cast(customer_count as bigint) as customer_count,
        cast(customer_month_count as bigint) as customer_month_count,
        staying_rate,
        monthly_margin_amount,
        markov_value_amount,
        residual_value_amount as mean_residual_value_amount,
        {{ ratio('markov_value_amount', 'residual_value_amount') }}
            as markov_to_residual
    from valued
)

select * from final
