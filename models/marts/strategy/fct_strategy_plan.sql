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
        customers.has_marketing_consent,
        count(*) as customer_count,
        sum(customer_values.historic_margin_amount) as historic_margin_amount,
        sum(customer_values.residual_value_amount) as residual_value_amount
    from customers
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join churn on customers.customer_id = churn.customer_id
    group by
        customer_values.value_tier,
        churn.churn_state,
        customers.has_marketing_consent
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
            as contact_channel,
        min(priority) as priority
    from catalogue
    group by strategy_id
),

targeted as (
    select
        catalogue.strategy_id,
        kinds.has_marketing_consent,
        kinds.customer_count,
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
        kinds.has_marketing_consent,
        kinds.customer_count,
        kinds.historic_margin_amount,
        kinds.residual_value_amount
),

eligible as (
    select
        strategy_id,
        sum(customer_count) as customer_count,
        sum(customer_count * cost_per_contact_amount) as total_cost_amount,
        sum(historic_margin_amount) as historic_margin_amount,
        sum(residual_value_amount) as residual_value_amount
    from targeted
    where has_marketing_consent
    group by strategy_id
),

excluded as (
    select
        strategy_id,
        sum(customer_count) as customer_count
    from targeted
    where not has_marketing_consent
    group by strategy_id
),

counted as (
    select
        strategies.strategy_id,
        strategies.strategy_name,
        strategies.contact_channel,
        strategies.priority,
        cast(everyone.customer_count as bigint) as customer_count,
        cast(coalesce(eligible.customer_count, 0) as bigint)
            as eligible_customer_count,
        cast(coalesce(excluded.customer_count, 0) as bigint)
            as excluded_without_consent_count,
        {{ money('coalesce(eligible.total_cost_amount, 0)') }} as total_cost_amount,
        {{ money('eligible.historic_margin_amount') }} as historic_margin_amount,
        {{ money('eligible.residual_value_amount') }} as value_at_stake_amount
    from strategies
    cross join everyone
    left join eligible on strategies.strategy_id = eligible.strategy_id
    left join excluded on strategies.strategy_id = excluded.strategy_id
),

final as (
    select
        strategy_id,
        strategy_name,
        contact_channel,
        priority,
        customer_count,
        eligible_customer_count,
        excluded_without_consent_count,
        {{ ratio('eligible_customer_count', 'customer_count') }}
            as share_of_customers_rate,
        {{ money(ratio('total_cost_amount', 'eligible_customer_count')) }}
            as cost_per_member_amount,
        {{ money(ratio('total_cost_amount', 'customer_count')) }}
            as cost_per_customer_amount,
        total_cost_amount,
        historic_margin_amount,
        value_at_stake_amount
    from counted
)

select * from final
