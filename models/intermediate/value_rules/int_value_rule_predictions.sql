-- The tier that each method would have given at the train cutoff, beside the one that
-- the customer then was in. The process that values customers (fct_customer_value)
-- predicts revenue; times the shop's margin share, that is margin.
with

sampled as (
    select
        customer_id,
        frequency,
        mean_purchase_amount,
        margin_rate,
        margin_amount,
        actual_tier
    from {{ ref('int_value_rule_sample') }}
    where cutoff = 'train'
),

shop as (
    select
        {{ ratio(
            'sum(cast((1 + frequency) * mean_purchase_amount * margin_rate'
            ~ ' as decimal(38, 8)))',
            'sum(cast((1 + frequency) * mean_purchase_amount as decimal(38, 8)))'
        ) }} as margin_share
    from sampled
),

processes as (
    select
        customer_id,
        champion_revenue
    from {{ ref('int_value_predictions') }}
    where cutoff = 'train'
),

regressions as (
    select
        customer_id,
        regression_margin
    from {{ ref('int_regression_margins') }}
    where cutoff = 'train'
),

rules as (
    select
        customer_id,
        rule_tier
    from {{ ref('int_value_rule_tiers') }}
    where cutoff = 'train'
),

forests as (
    select
        customer_id,
        forest_tier
    from {{ ref('ml_value_forest_tiers') }}
    where cutoff = 'train'
),

predicted as (
    select
        sampled.customer_id,
        sampled.margin_amount,
        sampled.actual_tier,
        rules.rule_tier,
        forests.forest_tier,
        regressions.regression_margin,
        processes.champion_revenue * shop.margin_share as process_margin
    from sampled
    cross join shop
    left join processes on sampled.customer_id = processes.customer_id
    left join regressions on sampled.customer_id = regressions.customer_id
    left join rules on sampled.customer_id = rules.customer_id
    left join forests on sampled.customer_id = forests.customer_id
),

final as (
    select
        customer_id,
        margin_amount,
        actual_tier,
        {{ margin_tier('process_margin') }} as value_process_tier,
        {{ margin_tier('regression_margin') }} as regression_tier,
        rule_tier as decision_tree_tier,
        forest_tier as random_forest_tier,
        'low' as all_low_tier
    from predicted
)

select * from final
