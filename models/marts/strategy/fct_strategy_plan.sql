-- What each strategy would bring if everyone who may be contacted were:
--   incremental margin = uplift x value at stake - discount given,
--   profit = incremental margin - cost.
-- Spread over all customers of the shop it costs S = sum of W_i x C_i, W_i = share of
-- the group among the customers, C_i = cost per contact. Who did not consent is not
-- contacted, only counted. Strategies compete for customers: who gets which is in
-- fct_audience_members.
with

strategies as (
    select
        strategy_id,
        min(strategy_name) as strategy_name,
        case
            when min(contact_channel) = max(contact_channel) then min(contact_channel)
            else 'several'
        end as contact_channel,
        min(uplift_on) as uplift_on,
        min(uplift_source) as uplift_source,
        min(experiment_id) as experiment_id,
        min(priority) as priority
    from {{ ref('int_strategies') }}
    group by strategy_id
),

targets as (
    select
        strategy_id,
        has_marketing_consent,
        -- a decimal: its sum does not depend on the order of the rows
        cast(uplift as decimal(18, 12)) as uplift,
        value_at_stake_amount,
        expected_discount_amount,
        expected_incremental_margin_amount,
        contact_cost_amount,
        expected_profit_amount
    from {{ ref('int_strategy_targets') }}
),

everyone as (
    select count(*) as customer_count
    from {{ ref('dim_customers') }}
),

summed as (
    select
        strategy_id,
        count(case when has_marketing_consent then 1 end) as eligible_customer_count,
        count(case when not has_marketing_consent then 1 end)
            as excluded_without_consent_count,
        count(case when has_marketing_consent and expected_profit_amount > 0 then 1 end)
            as profitable_customer_count,
        count(
            case
                when has_marketing_consent and expected_profit_amount is null
                    then 1
            end
        ) as unknown_value_count,
        sum(case when has_marketing_consent then uplift end) as uplift_sum,
        sum(case when has_marketing_consent then value_at_stake_amount end)
            as value_at_stake_amount,
        sum(case when has_marketing_consent then expected_discount_amount end)
            as expected_discount_amount,
        sum(case when has_marketing_consent then expected_incremental_margin_amount end)
            as expected_incremental_margin_amount,
        sum(case when has_marketing_consent then contact_cost_amount end)
            as total_cost_amount,
        sum(
            case
                when has_marketing_consent and expected_profit_amount is not null
                    then contact_cost_amount
            end
        ) as valued_cost_amount,
        sum(case when has_marketing_consent then expected_profit_amount end)
            as expected_profit_amount
    from targets
    group by strategy_id
),

counted as (
    select
        strategies.*,
        everyone.customer_count,
        coalesce(summed.eligible_customer_count, 0) as eligible_customer_count,
        coalesce(summed.excluded_without_consent_count, 0)
            as excluded_without_consent_count,
        coalesce(summed.profitable_customer_count, 0) as profitable_customer_count,
        coalesce(summed.unknown_value_count, 0) as unknown_value_count,
        summed.uplift_sum,
        summed.valued_cost_amount,
        {{ money('coalesce(summed.total_cost_amount, 0)') }} as total_cost_amount,
        {{ money('summed.value_at_stake_amount') }} as value_at_stake_amount,
        {{ money('summed.expected_discount_amount') }} as expected_discount_amount,
        {{ money('summed.expected_incremental_margin_amount') }}
            as expected_incremental_margin_amount,
        {{ money('summed.expected_profit_amount') }} as expected_profit_amount
    from strategies
    cross join everyone
    left join summed on strategies.strategy_id = summed.strategy_id
),

final as (
    select
        strategy_id,
        strategy_name,
        contact_channel,
        uplift_on,
        uplift_source,
        experiment_id,
        priority,
        cast(customer_count as bigint) as customer_count,
        cast(eligible_customer_count as bigint) as eligible_customer_count,
        cast(excluded_without_consent_count as bigint)
            as excluded_without_consent_count,
        cast(unknown_value_count as bigint) as unknown_value_count,
        cast(profitable_customer_count as bigint) as profitable_customer_count,
        {{ ratio('eligible_customer_count', 'customer_count') }}
            as share_of_customers_rate,
        {{ ratio('uplift_sum', 'eligible_customer_count') }} as mean_uplift,
        value_at_stake_amount,
        expected_discount_amount,
        expected_incremental_margin_amount,
        {{ money(ratio('total_cost_amount', 'eligible_customer_count')) }}
            as cost_per_member_amount,
        {{ money(ratio('total_cost_amount', 'customer_count')) }}
            as cost_per_customer_amount,
        total_cost_amount,
        expected_profit_amount,
        {{ ratio('expected_profit_amount', 'valued_cost_amount') }}
            as expected_return_on_cost
    from counted
)

select * from final
