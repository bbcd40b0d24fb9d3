-- All that the tests of an experiment need to know of an arm: how many customers, and
-- the sums, squares and products of each measure and of what they spent before. Exact
-- decimals of one pass over the customers, who are then in three groupings: all, by
-- value tier and by buyer class before the assignment. Who was in two arms is left out.
-- Until the last window of the experiment is over there are no outcomes.
{%- set measures = {
    'visit': 'case when has_visited then 1 else 0 end',
    'conversion': 'case when has_bought then 1 else 0 end',
    'retention': 'case when has_stayed then 1 else 0 end',
    'revenue': 'revenue_after_amount',
    'margin': 'margin_after_amount',
} %}
{%- set exact = 'decimal(38, 8)' %}
with

customers as (
    select
        experiment_id,
        arm,
        value_tier_before,
        buyer_class_before,
        revenue_before_amount as spend_before,
        {%- for measure, outcome in measures.items() %}
        {{ outcome }} as {{ measure }},
        {%- endfor %}
        is_mature
    from {{ ref('int_experiment_customers') }}
    where not is_contaminated
),

cells as (
    select
        experiment_id,
        arm,
        value_tier_before,
        buyer_class_before,
        count(*) as customer_count,
        count(case when not is_mature then 1 end) as open_count,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }}_sum,
        sum({{ measure }} * {{ measure }}) as {{ measure }}_squares,
        sum({{ measure }} * spend_before) as {{ measure }}_products,
        {%- endfor %}
        sum(spend_before) as spend_before_sum,
        sum(spend_before * spend_before) as spend_before_squares
    from customers
    group by experiment_id, arm, value_tier_before, buyer_class_before
),

measured as (
    {%- for measure in measures %}
    {{- '\n    union all\n' if not loop.first }}
    select
        experiment_id,
        arm,
        value_tier_before,
        buyer_class_before,
        '{{ measure }}' as measure,
        customer_count,
        open_count,
        cast({{ measure }}_sum as {{ exact }}) as outcome_sum,
        cast({{ measure }}_squares as {{ exact }}) as outcome_squares,
        cast({{ measure }}_products as {{ exact }}) as outcome_products,
        cast(spend_before_sum as {{ exact }}) as spend_before_sum,
        cast(spend_before_squares as {{ exact }}) as spend_before_squares
    from cells
    {%- endfor %}
),

sliced as (
    select
        measured.*,
        'all' as slice_type,
        'all' as slice
    from measured

    union all

    select
        measured.*,
        'value_tier' as slice_type,
        value_tier_before as slice
    from measured

    union all

    select
        measured.*,
        'buyer_class' as slice_type,
        buyer_class_before as slice
    from measured
),

summed as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        sum(customer_count) as customer_count,
        sum(open_count) as open_count,
        sum(outcome_sum) as outcome_sum,
        sum(outcome_squares) as outcome_squares,
        sum(outcome_products) as outcome_products,
        sum(spend_before_sum) as spend_before_sum,
        sum(spend_before_squares) as spend_before_squares
    from sliced
    group by experiment_id, arm, slice_type, slice, measure
),

flagged as (
    select
        summed.*,
        sum(summed.open_count) over (partition by summed.experiment_id) = 0 as is_mature
    from summed
),

final as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        measure in ('visit', 'conversion', 'retention') as is_rate,
        cast(customer_count as bigint) as customer_count,
        case when is_mature then outcome_sum end as outcome_sum,
        case when is_mature then outcome_squares end as outcome_squares,
        case when is_mature then outcome_products end as outcome_products,
        spend_before_sum,
        spend_before_squares,
        is_mature
    from flagged
)

select * from final
