-- What each strategy would cost and what is at stake. The catalogue gives a strategy
-- one or more groups of customers, each with its cost per contact C_i; with W_i the
-- group's share of all customers, the strategy costs S = sum of W_i x C_i per customer
-- of the shop. A customer in two groups of one strategy is contacted once, at the lower
-- cost. Who did not consent is not contacted, only counted.
with

catalogue as (
    select
        strategy_id,
        strategy_name,
        segment_type,
        segment,
        channel,
        cost_per_contact_amount,
        priority
    from {{ ref('strategy_catalogue') }}
),

customers as (
    select
        customer_id,
        has_marketing_consent
    from {{ ref('dim_customers') }}
),

customer_values as (
    select
        customer_id,
        value_tier,
        historic_margin_amount,
        residual_value_amount
    from {{ ref('fct_customer_value') }}
),

churn as (
    select
        customer_id,
        churn_state
    from {{ ref('fct_customer_churn') }}
),

-- the few kinds of customers there are, so that no strategy meets each customer
kinds as (
    select
        customer_values.value_tier,
        churn.churn_state,
        count(*) as customer_count,
        count(*) filter (where customers.has_marketing_consent) as consenting_count,
        sum(customer_values.historic_margin_amount)
            filter (where customers.has_marketing_consent) as historic_margin_amount,
        sum(customer_values.residual_value_amount)
            filter (where customers.has_marketing_consent) as residual_value_amount
    from customers
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join churn on customers.customer_id = churn.customer_id
    group by customer_values.value_tier, churn.churn_state
),

everyone as (
    select coalesce(sum(customer_count), 0) as customer_count
    from kinds
),

strategies as (
    select
        strategy_id,
        min(strategy_name) as strategy_name,
        case when min(channel) = max(channel) then min(channel) else 'several' end
            as channel,
        min(priority) as priority
    from catalogue
    group by strategy_id
),

targeted as (
    select
        catalogue.strategy_id,
        kinds.customer_count,
        kinds.consenting_count,
        kinds.historic_margin_amount,
        kinds.residual_value_amount,
        min(catalogue.cost_per_contact_amount) as cost_per_contact_amount
    from catalogue
    inner join kinds
        on
            catalogue.segment_type = 'value_tier'
            and catalogue.segment = kinds.value_tier
            or catalogue.segment_type = 'churn_state'
            and catalogue.segment = kinds.churn_state
    group by
        catalogue.strategy_id,
        kinds.value_tier,
        kinds.churn_state,
        kinds.customer_count,
        kinds.consenting_count,
        kinds.historic_margin_amount,
        kinds.residual_value_amount
),

totals as (
    select
        strategy_id,
        sum(consenting_count) as eligible_customer_count,
        sum(customer_count - consenting_count) as excluded_customer_count,
        {{ money('sum(consenting_count * cost_per_contact_amount)') }}
            as total_cost_amount,
        {{ money('sum(historic_margin_amount)') }} as historic_margin_amount,
        {{ money('sum(residual_value_amount)') }} as value_at_stake_amount
    from targeted
    group by strategy_id
),

final as (
    select
        strategies.strategy_id,
        strategies.strategy_name,
        strategies.channel,
        strategies.priority,
        cast(everyone.customer_count as bigint) as customer_count,
        cast(coalesce(totals.eligible_customer_count, 0) as bigint)
            as eligible_customer_count,
        cast(coalesce(totals.excluded_customer_count, 0) as bigint)
            as excluded_without_consent_count,
        {{ ratio(
            'coalesce(totals.eligible_customer_count, 0)', 'everyone.customer_count'
        ) }} as share_of_customers_rate,
        {{ money(ratio('totals.total_cost_amount', 'totals.eligible_customer_count')) }}
            as cost_per_member_amount,
        {{ money('coalesce(totals.total_cost_amount, 0)') }} as total_cost_amount,
        {{ money(ratio(
            'coalesce(totals.total_cost_amount, 0)', 'everyone.customer_count'
        )) }} as cost_per_customer_amount,
        totals.historic_margin_amount,
        totals.value_at_stake_amount
    from strategies
    cross join everyone
    left join totals on strategies.strategy_id = totals.strategy_id
)

select * from final
