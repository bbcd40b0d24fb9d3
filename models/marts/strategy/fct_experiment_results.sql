-- What each arm of an experiment changed against `control`. Rates: two proportions, the
-- p-value with the pooled variance, the interval with the variances of both. Amounts per
-- customer: Welch's t. CUPED takes out what the spend before the assignment explains:
-- outcome - theta x (spend before - its mean), theta from all arms together. Within an
-- experiment, measure and slice type p-values are adjusted by Holm, over arms and slices.
-- What can't be said is NULL: before the last window is over, without a control arm, of
-- an arm with one customer, or where nobody differs from anybody.
with

sums as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        is_rate,
        customer_count,
        cast(outcome_sum as {{ type_double() }}) as outcome_sum,
        cast(outcome_squares as {{ type_double() }}) as outcome_squares,
        cast(outcome_products as {{ type_double() }}) as outcome_products,
        cast(spend_before_sum as {{ type_double() }}) as spend_before_sum,
        cast(spend_before_squares as {{ type_double() }}) as spend_before_squares,
        is_mature
    from {{ ref('int_experiment_sums') }}
),

centred as (
    select
        sums.*,
        {{ ratio('outcome_sum', 'customer_count') }} as arm_mean,
        {{ ratio('spend_before_sum', 'customer_count') }} as spend_before_mean,
        outcome_squares - {{ ratio('outcome_sum * outcome_sum', 'customer_count') }}
            as outcome_spread,
        spend_before_squares
        - {{ ratio('spend_before_sum * spend_before_sum', 'customer_count') }}
            as spend_before_spread,
        outcome_products
        - {{ ratio('outcome_sum * spend_before_sum', 'customer_count') }}
            as common_spread
    from sums
),

-- what is left of equal numbers is rounding
cleaned as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        is_rate,
        customer_count,
        arm_mean,
        spend_before_mean,
        case
            when outcome_spread > 1e-12 * outcome_squares then outcome_spread
            else 0 * outcome_spread
        end as outcome_spread,
        case
            when spend_before_spread > 1e-12 * spend_before_squares
                then spend_before_spread
            else 0
        end as spend_before_spread,
        common_spread,
        is_mature
    from centred
),

slopes as (
    select
        experiment_id,
        slice_type,
        slice,
        measure,
        {{ ratio(
            'sum(cast(common_spread as decimal(38, 8)))',
            'sum(cast(spend_before_spread as decimal(38, 8)))'
        ) }} as theta
    from cleaned
    group by experiment_id, slice_type, slice, measure
),

adjusted as (
    select
        cleaned.*,
        slopes.theta,
        case when cleaned.customer_count >= 2 then
            sqrt({{ ratio(
                'cleaned.outcome_spread',
                'cleaned.customer_count * (cleaned.customer_count'
                ~ ' - case when cleaned.is_rate then 0 else 1 end)'
            ) }})
        end as standard_error,
        cleaned.arm_mean - slopes.theta * cleaned.spend_before_mean as cuped_mean,
        case when cleaned.customer_count >= 2 then
            sqrt(case
                when
                    cleaned.outcome_spread - 2 * slopes.theta * cleaned.common_spread
                    + slopes.theta * slopes.theta * cleaned.spend_before_spread
                    > 1e-12 * cleaned.outcome_spread
                    then {{ ratio(
                        'cleaned.outcome_spread'
                        ~ ' - 2 * slopes.theta * cleaned.common_spread'
                        ~ ' + slopes.theta * slopes.theta * cleaned.spend_before_spread',
                        'cleaned.customer_count * (cleaned.customer_count - 1)'
                    ) }}
                else 0 * cleaned.outcome_spread * slopes.theta
            end)
        end as cuped_error
    from cleaned
    inner join slopes
        on
            cleaned.experiment_id = slopes.experiment_id
            and cleaned.slice_type = slopes.slice_type
            and cleaned.slice = slopes.slice
            and cleaned.measure = slopes.measure
),

compared as (
    select
        arms.experiment_id,
        arms.arm,
        arms.slice_type,
        arms.slice,
        arms.measure,
        arms.is_rate,
        arms.customer_count,
        coalesce(controls.customer_count, 0) as control_customer_count,
        arms.arm_mean,
        controls.arm_mean as control_mean,
        arms.standard_error,
        controls.standard_error as control_standard_error,
        arms.arm_mean - controls.arm_mean as uplift,
        nullif(sqrt(
            power(arms.standard_error, 2) + power(controls.standard_error, 2)
        ), 0) as uplift_error,
        {{ ratio(
            'arms.customer_count * arms.arm_mean'
            ~ ' + controls.customer_count * controls.arm_mean',
            'arms.customer_count + controls.customer_count'
        ) }} as pooled_mean,
        {{ welch_degrees_of_freedom(
            'arms.standard_error', 'arms.customer_count',
            'controls.standard_error', 'controls.customer_count'
        ) }} as degrees_of_freedom,
        arms.cuped_mean - controls.cuped_mean as cuped_uplift,
        nullif(sqrt(
            power(arms.cuped_error, 2) + power(controls.cuped_error, 2)
        ), 0) as cuped_uplift_error,
        {{ welch_degrees_of_freedom(
            'arms.cuped_error', 'arms.customer_count',
            'controls.cuped_error', 'controls.customer_count'
        ) }} as cuped_degrees_of_freedom,
        arms.is_mature
    from adjusted as arms
    left join adjusted as controls
        on
            arms.experiment_id = controls.experiment_id
            and arms.slice_type = controls.slice_type
            and arms.slice = controls.slice
            and arms.measure = controls.measure
            and controls.arm = 'control'
    where arms.arm <> 'control'
),

scored as (
    select
        compared.*,
        {{ ratio('uplift', 'uplift_error') }} as t_value,
        {{ ratio('cuped_uplift', 'cuped_uplift_error') }} as cuped_t_value,
        case when is_rate and uplift_error is not null then {{ ratio(
            'uplift',
            'sqrt(' ~ ratio('pooled_mean * (1 - pooled_mean)', 'customer_count')
            ~ ' + ' ~ ratio('pooled_mean * (1 - pooled_mean)', 'control_customer_count')
            ~ ')'
        ) }} end as z_value,
        case
            when is_rate then 1.959963984540054
            else {{ student_quantile_975('degrees_of_freedom') }}
        end as critical_value,
        {{ student_quantile_975('cuped_degrees_of_freedom') }}
            as cuped_critical_value,
        case when control_mean > 0 then {{ ratio('uplift', 'control_mean') }} end
            as relative_uplift,
        case when control_mean > 0 then sqrt(
            power({{ ratio('standard_error', 'control_mean') }}, 2)
            + power({{ ratio(
                'arm_mean * control_standard_error', 'control_mean * control_mean'
            ) }}, 2)
        ) end as relative_error
    from compared
),

tested as (
    select
        scored.*,
        case
            when is_rate then {{ normal_two_sided_p('z_value') }}
            else {{ student_two_sided_p('t_value', 'degrees_of_freedom') }}
        end as p_value,
        {{ student_two_sided_p('cuped_t_value', 'cuped_degrees_of_freedom') }}
            as cuped_p_value
    from scored
),

ranked as (
    select
        tested.*,
        count(p_value) over (
            partition by experiment_id, slice_type, measure
        ) - row_number() over (
            partition by experiment_id, slice_type, measure
            order by p_value nulls last, arm, slice
        ) + 1 as hypotheses_left
    from tested
),

holm as (
    select
        ranked.*,
        case when p_value is not null then
            max(least(1, p_value * hypotheses_left)) over (
                partition by experiment_id, slice_type, measure
                order by hypotheses_left desc
                rows between unbounded preceding and current row
            )
        end as adjusted_p_value
    from ranked
),

final as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        customer_count,
        cast(control_customer_count as bigint) as control_customer_count,
        arm_mean,
        control_mean,
        standard_error as arm_standard_error,
        control_standard_error,
        uplift,
        uplift - critical_value * uplift_error as uplift_lower,
        uplift + critical_value * uplift_error as uplift_upper,
        relative_uplift,
        relative_uplift - critical_value * nullif(relative_error, 0)
            as relative_uplift_lower,
        relative_uplift + critical_value * nullif(relative_error, 0)
            as relative_uplift_upper,
        p_value,
        adjusted_p_value,
        cuped_uplift,
        cuped_uplift - cuped_critical_value * cuped_uplift_error
            as cuped_uplift_lower,
        cuped_uplift + cuped_critical_value * cuped_uplift_error
            as cuped_uplift_upper,
        cuped_p_value,
        1 - power({{ ratio('cuped_uplift_error', 'uplift_error') }}, 2)
            as variance_reduction,
        -- the quantiles of the normal distribution at 97.5 and at 80 %
        (1.959963984540054 + 0.8416212335729143) * uplift_error
            as minimum_detectable_uplift,
        adjusted_p_value < 0.05 as is_significant,
        is_mature
    from holm
)

select * from final
