-- How uncertain what a process expects of a history is because its parameters are
-- estimates: the standard deviation, over parameters that might have been as well, of
-- the logarithm of P(alive) x purchases within the horizon. Only of the processes that
-- make up the champion.
with

histories as (
    select
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_purchase_histories') }}
    where cutoff = 'live'
),

weights as (
    select
        process,
        champion,
        weight_rate
    from {{ ref('int_process_weights') }}
    where weight_rate > 0
),

processes as (
    select
        customer_group,
        process,
        0 as draw_number,
        r,
        alpha_weeks,
        a,
        b,
        s,
        beta_weeks
    from {{ ref('ml_purchase_process') }}
    where cutoff = 'live'

    union all

    select
        customer_group,
        process,
        draw_number,
        r,
        alpha_weeks,
        a,
        b,
        s,
        beta_weeks
    from {{ ref('ml_purchase_draws') }}
),

expected as (
    select
        customer_group,
        process,
        draw_number,
        frequency,
        age_days,
        expected_purchases
    from {{ ref('ml_expected_purchases') }}
    where cutoff = 'live' and period_number = 0
),

-- a group of which nothing was learned is judged by all channels
learned as (
    select distinct customer_group
    from processes
),

paired as (
    select
        histories.customer_group,
        processes.draw_number,
        histories.recency_days,
        histories.age_days,
        {{ p_alive_columns('processes', 'histories') }}
    from histories
    left join learned on histories.customer_group = learned.customer_group
    inner join processes
        on processes.customer_group = coalesce(learned.customer_group, 'all channels')
    inner join weights on processes.process = weights.process
),

drawn as (
    select
        paired.customer_group,
        paired.process,
        paired.draw_number,
        paired.frequency,
        paired.recency_days,
        paired.age_days,
        {{ p_alive('paired') }} as p_alive_rate
    from paired
),

-- nothing expected has no logarithm
logarithms as (
    select
        drawn.customer_group,
        drawn.process,
        drawn.draw_number,
        drawn.frequency,
        drawn.recency_days,
        drawn.age_days,
        ln(greatest(drawn.p_alive_rate, 1e-300))
        + ln(greatest(expected.expected_purchases, 1e-300)) as log_purchases
    from drawn
    inner join expected
        on
            drawn.customer_group = expected.customer_group
            and drawn.process = expected.process
            and drawn.draw_number = expected.draw_number
            and drawn.frequency = expected.frequency
            and drawn.age_days = expected.age_days
),

deviations as (
    select
        drawn.customer_group,
        drawn.process,
        drawn.frequency,
        drawn.recency_days,
        drawn.age_days,
        cast(
            power(drawn.log_purchases - estimate.log_purchases, 2) as decimal(38, 12)
        ) as squared_deviation
    from logarithms as drawn
    inner join logarithms as estimate
        on
            drawn.customer_group = estimate.customer_group
            and drawn.process = estimate.process
            and drawn.frequency = estimate.frequency
            and drawn.recency_days = estimate.recency_days
            and drawn.age_days = estimate.age_days
            and estimate.draw_number = 0
    where drawn.draw_number > 0
),

final as (
    select
        deviations.customer_group,
        deviations.process,
        deviations.frequency,
        deviations.recency_days,
        deviations.age_days,
        weights.champion,
        weights.weight_rate,
        sqrt({{ ratio('sum(deviations.squared_deviation)', 'count(*)') }})
            as log_standard_error
    from deviations
    inner join weights on deviations.process = weights.process
    group by
        deviations.customer_group,
        deviations.process,
        deviations.frequency,
        deviations.recency_days,
        deviations.age_days,
        weights.champion,
        weights.weight_rate
)

select * from final
