-- What a customer in each stage is worth by a Markov chain (Pfeifer & Carraway 2000):
-- each month the customer brings the mean margin of the stage and moves on by the
-- transition matrix of the last twelve complete months, discounted, until the horizon.
-- It learns from other numbers than fct_customer_value does, so that the one checks the
-- other. Its last state is the paper's former customer: who has been churned for more
-- than a year is gone, brings nothing and stays so. In a year each season has had its
-- chance, and the matrix sees no more than a year; who comes back later is left out.
{% set gone_after_months = 12 %}

with

live as (
    select
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

-- the twelve complete months of the transitions
months as (
    select
        {{ add_months('live.first_open_month', 'counter.n - 12') }} as calendar_month,
        {{ add_months('live.first_open_month', 'counter.n - 11') }} as next_month
    from live
    cross join {{ numbers(12) }} as counter
),

stages as (
    select
        stage_order,
        stage
    from {{ ref('lifecycle_stages') }}
),

changes as {{ inlined() }} (
    select
        customer_id,
        stage,
        {{ month_start('from_date') }} as from_month,
        {{ month_start('until_date') }} as until_month,
        -- the first month at whose start the customer is gone
        case
            when stage = 'churned'
                then {{ add_months(month_start('from_date'), gone_after_months + 1) }}
        end as gone_month
    from {{ ref('int_stage_changes') }}
),

stage_transitions as (
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
        customer_months.customer_id,
        customer_months.activity_month,
        customer_months.margin_amount
    from {{ ref('fct_customer_months') }} as customer_months
    inner join months on customer_months.activity_month = months.calendar_month
),

-- stages that a customer came to within a month and was in at its end
arrivals as (
    select
        customer_id,
        from_month,
        stage
    from changes
    where coalesce(from_month < until_month, true)
),

-- the churned by month, with the month of the return and the stage at its end
churns as (
    select
        churned.from_month,
        churned.until_month,
        churned.gone_month,
        arrivals.stage as return_stage,
        count(*) as customer_count
    from changes as churned
    left join arrivals
        on
            churned.customer_id = arrivals.customer_id
            and churned.until_month = arrivals.from_month
    where churned.stage = 'churned'
    group by
        churned.from_month,
        churned.until_month,
        churned.gone_month,
        arrivals.stage
),

churned_moves as (
    select
        case
            when months.calendar_month = churns.until_month then churns.return_stage
            when months.next_month = churns.gone_month then 'gone'
            else 'churned'
        end as to_stage,
        churns.customer_count
    from churns
    inner join months
        on
            churns.from_month < months.calendar_month
            and churns.gone_month > months.calendar_month
            and coalesce(churns.until_month >= months.calendar_month, true)
),

churned_summed as (
    select
        to_stage,
        sum(customer_count) as pair_month_count
    from churned_moves
    group by to_stage
),

-- who is gone brings nothing, so that the state needs neither a rate nor a margin
transitions as (
    select
        from_stage,
        to_stage,
        customer_month_count,
        transition_rate
    from stage_transitions
    where from_stage != 'churned'

    union all

    select
        'churned' as from_stage,
        to_stage,
        sum(pair_month_count) over () as customer_month_count,
        {{ ratio('pair_month_count', 'sum(pair_month_count) over ()') }}
            as transition_rate
    from churned_summed
),

-- margin of the months of those who were in the stage, and not gone, at the start
margins as (
    select
        changes.stage,
        sum(customer_months.margin_amount) as margin_amount
    from customer_months
    inner join changes
        on
            customer_months.customer_id = changes.customer_id
            and customer_months.activity_month > changes.from_month
            and coalesce(customer_months.activity_month <= changes.until_month, true)
            and coalesce(customer_months.activity_month < changes.gone_month, true)
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
        {{ ratio(
            'count(case when changes.gone_month <= live.first_open_month then 1 end)',
            'count(*)'
        ) }} as gone_rate,
        avg(customer_values.residual_value_amount) as residual_value_amount
    from changes
    cross join live
    left join customer_values on changes.customer_id = customer_values.customer_id
    where changes.until_month is null
    group by changes.stage
),

valued as (
    select
        rewards.stage,
        rewards.stage_order,
        coalesce(current_customers.customer_count, 0) as customer_count,
        current_customers.gone_rate,
        rewards.customer_month_count,
        rewards.staying_rate,
        {{ money('rewards.reward') }} as monthly_margin_amount,
        -- a month's margin comes in its middle; below 30 customer-months it says little
        case when rewards.customer_month_count >= 30 then
            {{ money(product([
                'chain_values.state_value',
                '1 - coalesce(current_customers.gone_rate, 0)',
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
        gone_rate,
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
