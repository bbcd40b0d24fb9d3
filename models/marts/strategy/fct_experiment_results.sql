-- What each arm of an experiment changed against `control`. Shares: two proportions,
-- p-value with the pooled variance, interval with the variances of both. Amounts
-- per customer: Welch's t. CUPED takes out what the spend before the assignment
-- explains: outcome - theta x spend before, theta from all arms together. P-values are
-- adjusted by Holm over the arms and groups of an experiment, measure and slice type.
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

arms as (
    select
        experiment_id,
        arm,
        first_assigned_date
    from {{ ref('int_experiment_arms') }}
),

centred as (
    select
        sums.*,
        {{ ratio('sums.outcome_sum', 'sums.customer_count') }} as arm_mean,
        {{ ratio('sums.spend_before_sum', 'sums.customer_count') }}
            as spend_before_mean,
        sums.outcome_squares - {{ ratio(
            'sums.outcome_sum * sums.outcome_sum', 'sums.customer_count'
        ) }} as outcome_spread,
        sums.spend_before_squares - {{ ratio(
            'sums.spend_before_sum * sums.spend_before_sum', 'sums.customer_count'
        ) }} as spend_before_spread,
        sums.outcome_products - {{ ratio(
            'sums.outcome_sum * sums.spend_before_sum', 'sums.customer_count'
        ) }} as common_spread
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
        cleaned.arm_mean - slopes.theta * cleaned.spend_before_mean as cuped_mean,
        cleaned.outcome_spread - 2 * slopes.theta * cleaned.common_spread
        + slopes.theta * slopes.theta * cleaned.spend_before_spread as cuped_spread
    from cleaned
    inner join slopes
        on
            cleaned.experiment_id = slopes.experiment_id
            and cleaned.slice_type = slopes.slice_type
            and cleaned.slice = slopes.slice
            and cleaned.measure = slopes.measure
),

estimated as (
    select
        experiment_id,
        arm,
        slice_type,
        slice,
        measure,
        is_rate,
        customer_count,
        arm_mean,
        cuped_mean,
        case
            when customer_count >= 2
                then sqrt({{ ratio(
                    'outcome_spread',
                    'customer_count'
                    ~ ' * case when is_rate then customer_count else customer_count - 1 end'
                ) }})
        end as standard_error,
        case
            when customer_count >= 2 and cuped_spread > 1e-12 * outcome_spread
                then sqrt({{ ratio(
                    'cuped_spread', 'customer_count * (customer_count - 1)'
                ) }})
            when customer_count >= 2 then 0 * cuped_spread
        end as cuped_error,
        is_mature
    from adjusted
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
    from estimated as arms
    left join estimated as controls
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
        {{ ratio('compared.uplift', 'compared.uplift_error') }} as t_value,
        {{ ratio('compared.cuped_uplift', 'compared.cuped_uplift_error') }}
            as cuped_t_value,
        case
            when compared.is_rate and compared.uplift_error is not null
                then {{ ratio('compared.uplift', 'sqrt('
                    ~ 'compared.pooled_mean * (1 - compared.pooled_mean) * ('
                    ~ ratio(1, 'compared.customer_count') ~ ' + '
                    ~ ratio(1, 'compared.control_customer_count') ~ '))'
                ) }}
        end as z_value,
        case
            when compared.is_rate then 1.959963984540054
            else {{ student_quantile_975('compared.degrees_of_freedom') }}
        end as critical_value,
        {{ student_quantile_975('compared.cuped_degrees_of_freedom') }}
            as cuped_critical_value,
        case
            when compared.control_mean > 0
                then {{ ratio('compared.uplift', 'compared.control_mean') }}
        end as relative_uplift,
        case
            when compared.control_mean > 0 and compared.uplift_error is not null
                then {{ ratio('sqrt(power(compared.standard_error, 2) + power('
                    ~ ratio('compared.arm_mean', 'compared.control_mean')
                    ~ ' * compared.control_standard_error, 2))', 'compared.control_mean'
                ) }}
        end as relative_error
    from compared
),

tested as (
    select
        scored.*,
        case
            when scored.is_rate then {{ normal_two_sided_p('scored.z_value') }}
            else {{ student_two_sided_p(
                'scored.t_value', 'scored.degrees_of_freedom'
            ) }}
        end as p_value,
        {{ student_two_sided_p(
            'scored.cuped_t_value', 'scored.cuped_degrees_of_freedom'
        ) }} as cuped_p_value
    from scored
),

-- the smallest p-value counts as often as there are hypotheses, the next once less
ranked as (
    select
        tested.*,
        count(tested.p_value) over (
            partition by tested.experiment_id, tested.slice_type, tested.measure
        ) + 1 - row_number() over (
            partition by tested.experiment_id, tested.slice_type, tested.measure
            order by tested.p_value nulls last, tested.arm, tested.slice
        ) as hypotheses_left
    from tested
),

holm as (
    select
        ranked.*,
        max(case
            when ranked.p_value is not null
                then least(1, ranked.p_value * ranked.hypotheses_left)
        end) over (
            partition by
                ranked.experiment_id,
                ranked.slice_type,
                ranked.measure,
                ranked.p_value is null
            order by ranked.hypotheses_left desc
            rows between unbounded preceding and current row
        ) as adjusted_p_value
    from ranked
),

final as (
    select
        holm.experiment_id,
        holm.arm,
        arms.first_assigned_date,
        holm.slice_type,
        holm.slice,
        holm.measure,
        holm.customer_count,
        cast(holm.control_customer_count as bigint) as control_customer_count,
        holm.arm_mean,
        holm.control_mean,
        holm.standard_error as arm_standard_error,
        holm.control_standard_error,
        holm.uplift as absolute_uplift,
        holm.uplift - holm.critical_value * holm.uplift_error as absolute_uplift_lower,
        holm.uplift + holm.critical_value * holm.uplift_error as absolute_uplift_upper,
        holm.relative_uplift,
        holm.relative_uplift - holm.critical_value * holm.relative_error
            as relative_uplift_lower,
        holm.relative_uplift + holm.critical_value * holm.relative_error
            as relative_uplift_upper,
        holm.p_value,
        holm.adjusted_p_value,
        holm.cuped_uplift,
        holm.cuped_uplift - holm.cuped_critical_value * holm.cuped_uplift_error
            as cuped_uplift_lower,
        holm.cuped_uplift + holm.cuped_critical_value * holm.cuped_uplift_error
            as cuped_uplift_upper,
        holm.cuped_p_value,
        1 - power({{ ratio('holm.cuped_uplift_error', 'holm.uplift_error') }}, 2)
            as variance_reduction,
        -- the quantiles of the normal distribution at 97.5 and at 80 %
        (1.959963984540054 + 0.8416212335729143) * holm.uplift_error
            as minimum_detectable_uplift,
        holm.adjusted_p_value < 0.05 as is_significant,
        holm.is_mature
    from holm
    left join arms
        on holm.experiment_id = arms.experiment_id and holm.arm = arms.arm
)

select * from final
