-- The tier of each customer by four methods. Three go by the margin of the next window,
-- as long as the one they learned from; value_tier goes by the value that is left over
-- the whole horizon.
with

customers as (
    select
        customer_id,
        value_tier
    from {{ ref('fct_customer_value') }}
),

rules as (
    select
        customer_id,
        rule_number,
        rule_tier
    from {{ ref('int_value_rule_tiers') }}
    where cutoff = 'live'
),

forests as (
    select
        customer_id,
        forest_tier,
        forest_tier_rate
    from {{ ref('ml_value_forest_tiers') }}
    where cutoff = 'live'
),

regressions as (
    select
        customer_id,
        regression_margin,
        {{ margin_tier('regression_margin') }} as regression_tier
    from {{ ref('int_regression_margins') }}
    where cutoff = 'live'
),

final as (
    select
        customers.customer_id,
        customers.value_tier,
        rules.rule_tier,
        cast(rules.rule_number as bigint) as rule_number,
        forests.forest_tier,
        forests.forest_tier_rate,
        regressions.regression_tier,
        {{ money('regressions.regression_margin') }} as regression_margin_amount
    from customers
    left join rules on customers.customer_id = rules.customer_id
    left join forests on customers.customer_id = forests.customer_id
    left join regressions on customers.customer_id = regressions.customer_id
)

select * from final
