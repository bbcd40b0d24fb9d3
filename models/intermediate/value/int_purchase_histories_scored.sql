-- What each process says of each history: whether its customers are still customers,
-- and what they will buy. P(alive) depends on frequency, recency and age, and is worked
-- out here; what who is still one will buy does not depend on recency, and was worked
-- out by ml_expected_purchases. A purchase falls in the middle of its month.
with

histories as (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_purchase_histories') }}
),

processes as (
    select
        cutoff,
        customer_group,
        process,
        r,
        alpha_weeks,
        a,
        b,
        s,
        beta_weeks
    from {{ ref('ml_purchase_process') }}
),

expected as (
    select
        cutoff,
        customer_group,
        process,
        frequency,
        age_days,
        period_number,
        -- period 0 is the others together
        case when period_number > 0 then expected_purchases end
            as expected_purchases,
        purchase_probability,
        dert
    from {{ ref('ml_expected_purchases') }}
    where draw_number = 0
),

seasons as (
    select
        cutoff,
        period_number,
        seasonal_factor
    from {{ ref('int_seasonality') }}
),

-- the seasons of the first year come back every year
seasonal as (
    select
        expected.cutoff,
        expected.customer_group,
        expected.process,
        expected.frequency,
        expected.age_days,
        expected.period_number,
        expected.purchase_probability,
        expected.dert,
        expected.expected_purchases,
        expected.expected_purchases * seasons.seasonal_factor as seasonal_purchases
    from expected
    left join seasons
        on
            expected.cutoff = seasons.cutoff
            and seasons.period_number
            = mod(expected.period_number - 1, 12) + 1
),

-- the sums are of decimals: the same in any order of rows
summed as (
    select
        cutoff,
        customer_group,
        process,
        frequency,
        age_days,
        max(purchase_probability) as purchase_probability,
        max(dert) as dert,
        sum(cast(expected_purchases as decimal(38, 12))) as unseasonal_purchases,
        -- what lies beyond the horizon is not known
        {% for months in [3, 6, 12] %}
        case
            when max(period_number) >= {{ months }}
                then
                    sum(
                        case
                            when period_number <= {{ months }}
                                then cast(seasonal_purchases as decimal(38, 12))
                        end
                    )
        end as purchases_{{ months }}_months,
        {% endfor %}
        sum(cast(seasonal_purchases as decimal(38, 12))) as purchases,
        {{ discounted_sum_over_periods(
            'expected_purchases',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            'period_number', timing='mid'
        ) }} as unseasonal_discounted_purchases,
        {{ discounted_sum_over_periods(
            'seasonal_purchases',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            'period_number', timing='mid'
        ) }} as discounted_purchases
    from seasonal
    group by cutoff, customer_group, process, frequency, age_days
),

-- a group of which nothing was learned is judged by all channels: it may have grown
-- since
learned as (
    select distinct
        cutoff,
        customer_group
    from processes
),

paired as (
    select
        histories.cutoff,
        histories.customer_group,
        histories.recency_days,
        histories.age_days,
        {{ p_alive_columns('processes', 'histories') }}
    from histories
    left join learned
        on
            histories.cutoff = learned.cutoff
            and histories.customer_group = learned.customer_group
    inner join processes
        on
            histories.cutoff = processes.cutoff
            and processes.customer_group
            = coalesce(learned.customer_group, 'all channels')
),

alive as (
    select
        paired.cutoff,
        paired.customer_group,
        paired.process,
        paired.frequency,
        paired.recency_days,
        paired.age_days,
        {{ p_alive('paired') }} as p_alive_rate
    from paired
),

final as (
    select
        alive.cutoff,
        alive.customer_group,
        alive.process,
        alive.frequency,
        alive.recency_days,
        alive.age_days,
        alive.p_alive_rate,
        alive.p_alive_rate * summed.purchase_probability
            as purchase_probability_12_months_rate,
        alive.p_alive_rate * cast(summed.purchases_3_months as {{ type_double() }})
            as purchases_3_months,
        alive.p_alive_rate * cast(summed.purchases_6_months as {{ type_double() }})
            as purchases_6_months,
        alive.p_alive_rate * cast(summed.purchases_12_months as {{ type_double() }})
            as purchases_12_months,
        alive.p_alive_rate * cast(summed.purchases as {{ type_double() }})
            as purchases,
        alive.p_alive_rate * cast(summed.unseasonal_purchases as {{ type_double() }})
            as unseasonal_purchases,
        -- nine decimals of a sum of doubles are the same in any order of rows
        alive.p_alive_rate
        * cast(
            cast(summed.discounted_purchases as decimal(38, 9)) as {{ type_double() }}
        ) as discounted_purchases,
        alive.p_alive_rate
        * cast(
            cast(summed.unseasonal_discounted_purchases as decimal(38, 9))
            as {{ type_double() }}
        ) as unseasonal_discounted_purchases,
        alive.p_alive_rate * summed.dert as discounted_purchases_for_ever
    from alive
    inner join summed
        on
            alive.cutoff = summed.cutoff
            and alive.customer_group = summed.customer_group
            and alive.process = summed.process
            and alive.frequency = summed.frequency
            and alive.age_days = summed.age_days
)

select * from final
