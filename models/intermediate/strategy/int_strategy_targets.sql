-- Whom a strategy is for, and what contacting them is expected to bring:
--   incremental margin = uplift x value at stake - discount given,
--   profit = incremental margin - cost of the contact.
-- The discount is given to all who buy, also to those who would have bought anyway.
-- An empty cell of the catalogue means anybody. Who is in several groups of a strategy
-- is contacted once, as a member of the most profitable.
with

strategies as (
    select
        strategy_id,
        for_stage,
        for_value_tier,
        for_segment_type,
        for_segment,
        contact_channel,
        offer,
        discount_rate,
        uplift_on,
        uplift,
        cost_per_contact_amount,
        priority
    from {{ ref('int_strategies') }}
),

segments as (
    select
        customer_id,
        {{ segment_types() | join(',\n        ') }}
    from {{ ref('fct_customer_segments') }}
),

stakes as (
    select
        customer_id,
        has_marketing_consent,
        expected_purchase_revenue_amount,
        purchase_stake_amount,
        retention_stake_amount,
        unasked_purchase_rate
    from {{ ref('int_customer_stakes') }}
),

in_experiments as (
    select customer_id
    from {{ ref('int_customers_in_experiments') }}
),

customers as (
    select
        segments.*,
        stakes.has_marketing_consent,
        in_experiments.customer_id is not null as is_in_experiment,
        stakes.expected_purchase_revenue_amount,
        stakes.purchase_stake_amount,
        stakes.retention_stake_amount,
        stakes.unasked_purchase_rate
    from segments
    inner join stakes on segments.customer_id = stakes.customer_id
    left join in_experiments on segments.customer_id = in_experiments.customer_id
),

-- few, so that a customer meets only the strategies for the own stage and tier
kinds as (
    select distinct
        stage,
        value_tier
    from segments
),

strategies_of_kinds as (
    select
        kinds.stage,
        kinds.value_tier,
        strategies.*,
        count(*) over (
            partition by kinds.stage, kinds.value_tier, strategies.strategy_id
        ) as group_count
    from kinds
    inner join strategies
        on
            coalesce(kinds.stage = strategies.for_stage, strategies.for_stage is null)
            and coalesce(
                kinds.value_tier = strategies.for_value_tier,
                strategies.for_value_tier is null
            )
),

targeted as (
    select
        customers.customer_id,
        customers.has_marketing_consent,
        customers.is_in_experiment,
        strategies.strategy_id,
        strategies.group_count,
        strategies.contact_channel,
        strategies.offer,
        strategies.priority,
        strategies.uplift,
        case strategies.uplift_on
            when 'purchase' then customers.purchase_stake_amount
            else customers.retention_stake_amount
        end as value_at_stake_amount,
        case
            when strategies.discount_rate = 0 then 0
            -- least() and greatest() ignore a NULL on some engines
            when customers.unasked_purchase_rate is not null
                then
                    strategies.discount_rate
                    * customers.expected_purchase_revenue_amount
                    * least(1, greatest(
                        0,
                        customers.unasked_purchase_rate
                        + case strategies.uplift_on
                            when 'purchase' then strategies.uplift
                            else 0
                        end
                    ))
        end as expected_discount_amount,
        strategies.cost_per_contact_amount
    from customers
    inner join strategies_of_kinds as strategies
        on
            customers.stage = strategies.stage
            and customers.value_tier is not distinct from strategies.value_tier
    where
        strategies.for_segment is null
        or strategies.for_segment = case strategies.for_segment_type
            {%- for segment_type in segment_types() %}
            when '{{ segment_type }}' then customers.{{ segment_type }}
            {%- endfor %}
        end
),

valued as (
    select
        customer_id,
        strategy_id,
        group_count,
        contact_channel,
        offer,
        priority,
        uplift,
        value_at_stake_amount,
        {{ money('expected_discount_amount') }} as expected_discount_amount,
        {{ money('uplift * value_at_stake_amount') }}
        - {{ money('expected_discount_amount') }} as expected_incremental_margin_amount,
        cost_per_contact_amount,
        has_marketing_consent,
        is_in_experiment
    from targeted
),

-- most are in one group of a strategy and need no ranking
ranked as (
    select
        valued.*,
        row_number() over (
            partition by valued.customer_id, valued.strategy_id
            order by
                valued.expected_incremental_margin_amount
                - valued.cost_per_contact_amount desc nulls last,
                valued.cost_per_contact_amount asc,
                valued.contact_channel asc,
                valued.offer asc
        ) as group_rank
    from valued
    where valued.group_count > 1

    union all

    select
        valued.*,
        1 as group_rank
    from valued
    where valued.group_count = 1
),

final as (
    select
        customer_id,
        strategy_id,
        contact_channel,
        offer,
        priority,
        uplift,
        value_at_stake_amount,
        expected_discount_amount,
        {{ money('expected_incremental_margin_amount') }}
            as expected_incremental_margin_amount,
        cost_per_contact_amount as contact_cost_amount,
        {{ money('expected_incremental_margin_amount - cost_per_contact_amount') }}
            as expected_profit_amount,
        has_marketing_consent,
        is_in_experiment
    from ranked
    where group_rank = 1
)

select * from final
