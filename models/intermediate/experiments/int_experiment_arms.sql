-- Whether the groups of an experiment are as planned. Arms whose sizes differ from the
-- plan by more than chance explains (p < 0.001), or more than one customer in twenty
-- assigned to several arms: something went wrong in assigning, and what follows is not
-- to be trusted.
{% set experiments = '(partition by arms.experiment_id)' %}

with

customers as (
    select
        experiment_id,
        arm,
        assigned_date,
        outcome_end_date,
        treatment_cost_amount,
        is_contaminated
    from {{ ref('int_experiment_customers') }}
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

arms as (
    select
        experiment_id,
        arm,
        count(case when not is_contaminated then 1 end) as customer_count,
        count(case when is_contaminated then 1 end) as contaminated_customer_count,
        min(assigned_date) as first_assigned_date,
        max(assigned_date) as last_assigned_date,
        max(outcome_end_date) as last_window_end_date,
        {{ money('sum(case when not is_contaminated then treatment_cost_amount end)') }}
            as treatment_cost_amount
    from customers
    group by experiment_id, arm
),

planned as (
    select
        arms.*,
        sum(arms.customer_count) over {{ experiments }} as experiment_customer_count,
        sum(arms.contaminated_customer_count) over {{ experiments }}
            as experiment_contaminated_count,
        count(*) over {{ experiments }} as arm_count,
        max(arms.last_window_end_date) over {{ experiments }} as experiment_end_date,
        max(case when arms.arm = 'control' then 1 else 0 end) over {{ experiments }} = 1
            as has_control,
        {{ planned_parts('arms.experiment_id', 'arms.arm') }} as parts
    from arms
),

expected as (
    select
        planned.*,
        {{ ratio(
            'planned.parts', 'sum(planned.parts) over (partition by planned.experiment_id)'
        ) }} as expected_share_rate
    from planned
),

deviating as (
    select
        expected.*,
        -- exact, so that the order of the arms can't change the sum
        cast({{ ratio(
            'power(expected.customer_count'
            ~ ' - expected.expected_share_rate * expected.experiment_customer_count, 2)',
            'expected.expected_share_rate * expected.experiment_customer_count'
        ) }} as decimal(38, 12)) as deviation
    from expected
),

summed as (
    select
        deviating.*,
        cast(
            sum(deviating.deviation) over (partition by deviating.experiment_id)
            as {{ type_double() }}
        ) as chi_square
    from deviating
),

checked as (
    select
        summed.*,
        {{ chi_square_p('summed.chi_square', 'summed.arm_count - 1') }}
            as sample_ratio_p_value,
        summed.experiment_contaminated_count
        > 0.05
        * (summed.experiment_customer_count + summed.experiment_contaminated_count)
            as is_much_contaminated
    from summed
),

judged as (
    select
        checked.*,
        checked.experiment_end_date <= live.cutoff_date as is_mature,
        coalesce(
            checked.has_control
            and checked.sample_ratio_p_value >= 0.001
            and not checked.is_much_contaminated,
            false
        ) as is_trustworthy
    from checked
    cross join live
),

final as (
    select
        experiment_id,
        arm,
        first_assigned_date,
        last_assigned_date,
        last_window_end_date,
        experiment_end_date,
        cast(arm_count as bigint) as arm_count,
        cast(customer_count as bigint) as customer_count,
        cast(contaminated_customer_count as bigint) as contaminated_customer_count,
        {{ ratio('customer_count', 'experiment_customer_count') }} as share_rate,
        expected_share_rate,
        sample_ratio_p_value,
        treatment_cost_amount,
        has_control,
        is_much_contaminated,
        is_mature,
        is_trustworthy
    from judged
)

select * from final
