-- What experiments found of each strategy that was an arm: the latest whose windows are
-- over and whose groups are as planned. Where the uplift is significant it takes the
-- place of the assumed one.
with

arms as (
    select
        experiment_id,
        arm,
        last_assigned_date
    from {{ ref('int_experiment_arms') }}
    where is_mature and is_trustworthy
),

results as (
    select
        experiment_id,
        arm,
        measure,
        absolute_uplift as uplift,
        absolute_uplift_lower as uplift_lower,
        absolute_uplift_upper as uplift_upper,
        is_significant
    from {{ ref('fct_experiment_results') }}
    where slice_type = 'all' and measure in ('conversion', 'retention')
),

ranked as (
    select
        results.*,
        arms.last_assigned_date,
        row_number() over (
            partition by results.arm, results.measure
            order by arms.last_assigned_date desc, results.experiment_id desc
        ) as experiment_rank
    from results
    inner join arms
        on
            results.experiment_id = arms.experiment_id
            and results.arm = arms.arm
    where results.uplift is not null
),

final as (
    select
        arm as strategy_id,
        case measure when 'conversion' then 'purchase' else 'retention' end
            as uplift_on,
        experiment_id,
        last_assigned_date,
        uplift as measured_uplift,
        uplift_lower as measured_uplift_lower,
        uplift_upper as measured_uplift_upper,
        coalesce(is_significant, false) as is_significant
    from ranked
    where experiment_rank = 1
)

select * from final
