-- What came out of each arm of an experiment: the verdict in words, which is on
-- purchases, and whether the arm paid.
with

arms as (
    select
        experiment_id,
        arm,
        first_assigned_date,
        last_assigned_date,
        last_window_end_date,
        experiment_end_date,
        arm_count,
        customer_count,
        contaminated_customer_count,
        share_rate,
        expected_share_rate,
        sample_ratio_p_value,
        treatment_cost_amount,
        has_control,
        is_much_contaminated,
        is_mature,
        is_trustworthy
    from {{ ref('int_experiment_arms') }}
),

results as (
    select
        experiment_id,
        arm,
        measure,
        absolute_uplift as uplift,
        absolute_uplift_lower as uplift_lower,
        absolute_uplift_upper as uplift_upper,
        minimum_detectable_uplift,
        is_significant
    from {{ ref('fct_experiment_results') }}
    where slice_type = 'all'
),

joined as (
    select
        arms.*,
        purchases.uplift,
        purchases.uplift_lower,
        purchases.uplift_upper,
        purchases.minimum_detectable_uplift,
        purchases.is_significant,
        {{ money('margins.uplift * arms.customer_count') }}
            as measured_margin_amount,
        {{ money('margins.uplift_lower * arms.customer_count') }}
            as measured_margin_lower_amount,
        {{ money('margins.uplift_upper * arms.customer_count') }}
            as measured_margin_upper_amount
    from arms
    left join results as purchases
        on
            arms.experiment_id = purchases.experiment_id
            and arms.arm = purchases.arm
            and purchases.measure = 'conversion'
    left join results as margins
        on
            arms.experiment_id = margins.experiment_id
            and arms.arm = margins.arm
            and margins.measure = 'margin'
),

final as (
    select
        experiment_id,
        arm,
        first_assigned_date,
        last_assigned_date,
        last_window_end_date,
        case
            when not has_control
                then 'Nothing to compare with: there is no arm `control`.'
            when arm_count = 1
                then 'Nothing to compare: there is no arm but `control`.'
            when is_much_contaminated
                then
                    'Do not trust: more than one customer in twenty was assigned to '
                    || 'several arms.'
            when not is_trustworthy
                then 'Do not trust: the arms are not as large as planned.'
            when arm = 'control' then 'What the others are compared with.'
            when not is_mature
                then
                    'Too early: the last window ends on '
                    || cast(experiment_end_date as {{ dbt.type_string() }}) || '.'
            when is_significant is null
                then 'No difference to be seen: all did the same, or there are too few.'
            when is_significant and uplift > 0
                then
                    'Better: ' || {{ in_points('uplift') }}
                    || ' points more of the customers bought (95 %: '
                    || {{ in_points('uplift_lower') }} || ' to '
                    || {{ in_points('uplift_upper') }} || ').'
            when is_significant
                then
                    'Worse: ' || {{ in_points('-uplift') }}
                    || ' points fewer of the customers bought (95 %: '
                    || {{ in_points('-uplift_upper') }} || ' to '
                    || {{ in_points('-uplift_lower') }} || ').'
            else
                'No difference found: one of '
                || {{ in_points('minimum_detectable_uplift') }}
                || ' points would have shown in four of five such experiments.'
        end as verdict,
        customer_count,
        contaminated_customer_count,
        share_rate,
        expected_share_rate,
        sample_ratio_p_value,
        treatment_cost_amount,
        measured_margin_amount,
        measured_margin_lower_amount,
        measured_margin_upper_amount,
        {{ ratio(
            'measured_margin_amount - treatment_cost_amount', 'treatment_cost_amount'
        ) }} as return_on_cost,
        is_mature,
        is_trustworthy
    from joined
)

select * from final
