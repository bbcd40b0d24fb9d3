-- What each method would have predicted of each customer, beside what the customer
-- then did. A process predicts purchases; times the expected spend, that is revenue.
{% set processes = [
    'bg_nbd', 'mbg_nbd', 'pareto_nbd', 'champion_uncorrected', 'champion'
] %}
{% set formulas = ['classic', 'last_period', 'rate', 'rate_with_first'] %}

with

formula_predictions as (
    select
        cutoff,
        customer_id,
        {% for formula in formulas %}
        {{ formula }}_purchases,
        {{ formula }}_revenue,
        {% endfor %}
        frequency
    from {{ ref('int_formula_predictions') }}
),

process_predictions as (
    select
        cutoff,
        customer_id,
        {% for process in processes %}
        {{ process }}_purchases,
        {% endfor %}
        expected_spend
    from {{ ref('int_process_predictions') }}
),

regression_predictions as (
    select
        cutoff,
        customer_id,
        regression_purchases,
        regression_revenue
    from {{ ref('int_regression_predictions') }}
),

outcomes as (
    select
        cutoff,
        customer_id,
        purchase_count,
        revenue_amount
    from {{ ref('int_customer_outcomes') }}
),

final as (
    select
        formula_predictions.cutoff,
        formula_predictions.customer_id,
        formula_predictions.frequency,
        coalesce(outcomes.purchase_count, 0) as actual_purchases,
        {{ money('coalesce(outcomes.revenue_amount, 0)') }} as actual_revenue_amount,
        {% for process in processes %}
        process_predictions.{{ process }}_purchases,
        process_predictions.{{ process }}_purchases * process_predictions.expected_spend
            as {{ process }}_revenue,
        {% endfor %}
        {% for formula in formulas %}
        formula_predictions.{{ formula }}_purchases,
        formula_predictions.{{ formula }}_revenue,
        {% endfor %}
        regression_predictions.regression_purchases,
        regression_predictions.regression_revenue
    from formula_predictions
    left join process_predictions
        on
            formula_predictions.cutoff = process_predictions.cutoff
            and formula_predictions.customer_id = process_predictions.customer_id
    left join regression_predictions
        on
            formula_predictions.cutoff = regression_predictions.cutoff
            and formula_predictions.customer_id = regression_predictions.customer_id
    left join outcomes
        on
            formula_predictions.cutoff = outcomes.cutoff
            and formula_predictions.customer_id = outcomes.customer_id
)

select * from final
