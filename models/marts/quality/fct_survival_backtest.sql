-- How well survival was predicted at the train cutoff, from what was known then (but
-- for the length of the silence that counts as a loss, one definition for all days),
-- for those who were customers that evening: against what followed by the live cutoff.
-- Beside it the survival of everyone of the same age, which knows neither traits nor
-- silence. Equal predictions share a rank, so that the order of rows plays no part.
{% set horizons = {'3 months': 3, '6 months': 6, '12 months': 12, 'window': none} %}

with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        holdout_days,
        {{ days_between('cutoff_date', add_months('cutoff_date', 3)) }}
            as days_3_months,
        {{ days_between('cutoff_date', add_months('cutoff_date', 6)) }}
            as days_6_months,
        {{ days_between('cutoff_date', add_months('cutoff_date', 12)) }}
            as days_12_months
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'train'
),

predictions as (
    select
        customer_id,
        relationship,
        stay_from_date,
        stay_days,
        survival_3_months_rate,
        survival_6_months_rate,
        survival_12_months_rate,
        survival_window_rate
    from {{ ref('int_survival_predictions') }}
    where cutoff = 'train'
),

outcomes as (
    select
        customer_id,
        stay_from_date,
        stay_until_date
    from {{ ref('int_survival_stays') }}
    where cutoff = 'live'
),

baseline as (
    select
        relationship,
        day_number,
        last_day_number,
        plain_cumulative_hazard,
        plain_daily_hazard
    from {{ ref('int_survival_baseline') }}
    where cutoff = 'train'
),

spans as (
    select
        relationship,
        last_day_number,
        plain_daily_hazard
    from baseline
    where day_number = last_day_number
),

-- a horizon has to fit into the window
horizons as (
    {% for horizon, months in horizons.items() %}
    select
        '{{ horizon }}' as survival_horizon,
        cutoff_date,
        {{ 'days_' ~ months ~ '_months' if months else 'holdout_days' }} as horizon_days
    from cutoffs
    {% if months -%}
    where days_{{ months }}_months <= holdout_days
    {% endif -%}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

judged as (
    select
        predictions.relationship,
        horizons.survival_horizon,
        horizons.cutoff_date,
        horizons.horizon_days,
        predictions.stay_days,
        predictions.stay_days + horizons.horizon_days as end_day_number,
        spans.last_day_number,
        spans.plain_daily_hazard,
        -- beyond the days observed the last one stands. Worked out before the joins:
        -- one on days of two tables may be done by relationship alone
        least(predictions.stay_days, spans.last_day_number) as now_day_number,
        least(
            predictions.stay_days + horizons.horizon_days, spans.last_day_number
        ) as later_day_number,
        case horizons.survival_horizon
            when '3 months' then predictions.survival_3_months_rate
            when '6 months' then predictions.survival_6_months_rate
            when '12 months' then predictions.survival_12_months_rate
            else predictions.survival_window_rate
        end as predicted_rate,
        case
            when
                {{ days_between('horizons.cutoff_date', 'outcomes.stay_until_date') }}
                <= horizons.horizon_days
                then 0
            else 1
        end as survived
    from predictions
    inner join spans on predictions.relationship = spans.relationship
    cross join horizons
    inner join outcomes
        on
            predictions.customer_id = outcomes.customer_id
            and predictions.stay_from_date = outcomes.stay_from_date
),

-- the survival of everyone of the same age
aged as (
    select
        judged.relationship,
        judged.survival_horizon,
        judged.cutoff_date,
        judged.horizon_days,
        judged.predicted_rate,
        judged.survived,
        {{ survival_rate(
            'later_days.plain_cumulative_hazard - now_days.plain_cumulative_hazard'
            ~ ' + judged.plain_daily_hazard * ('
            ~ 'greatest(0, judged.end_day_number - judged.last_day_number)'
            ~ ' - greatest(0, judged.stay_days - judged.last_day_number))',
            '0'
        ) }} as age_rate
    from judged
    inner join baseline as now_days
        on
            judged.relationship = now_days.relationship
            and judged.now_day_number = now_days.day_number
    inner join baseline as later_days
        on
            judged.relationship = later_days.relationship
            and judged.later_day_number = later_days.day_number
),

-- sums of decimals are the same in any order of rows
by_rate as (
    select
        relationship,
        survival_horizon,
        cutoff_date,
        horizon_days,
        predicted_rate,
        count(*) as customer_count,
        sum(survived) as survived_count,
        sum(cast(predicted_rate as decimal(38, 12))) as predicted_sum,
        sum(cast(age_rate as decimal(38, 12))) as age_sum,
        sum(cast(power(predicted_rate - survived, 2) as decimal(38, 12)))
            as squared_error,
        sum(cast(power(age_rate - survived, 2) as decimal(38, 12)))
            as age_squared_error
    from aged
    group by
        relationship, survival_horizon, cutoff_date, horizon_days, predicted_rate
),

-- twice the mean rank of equals is a whole number
ranked as (
    select
        relationship,
        survival_horizon,
        cutoff_date,
        horizon_days,
        customer_count,
        survived_count,
        predicted_sum,
        age_sum,
        squared_error,
        age_squared_error,
        2 * sum(customer_count) over (
            partition by relationship, survival_horizon order by predicted_rate
            rows between unbounded preceding and current row
        ) - customer_count + 1 as doubled_rank
    from by_rate
),

summed as (
    select
        relationship,
        survival_horizon,
        cutoff_date,
        horizon_days,
        sum(customer_count) as customer_count,
        sum(survived_count) as survived_count,
        sum(predicted_sum) as predicted_sum,
        sum(age_sum) as age_sum,
        sum(squared_error) as squared_error,
        sum(age_squared_error) as age_squared_error,
        sum(survived_count * doubled_rank) as doubled_ranks
    from ranked
    group by relationship, survival_horizon, cutoff_date, horizon_days
),

final as (
    select
        relationship,
        survival_horizon,
        cutoff_date,
        cast(horizon_days as integer) as horizon_days,
        cast(customer_count as bigint) as customer_count,
        {{ ratio('predicted_sum', 'customer_count') }} as mean_predicted_survival_rate,
        {{ ratio('age_sum', 'customer_count') }} as mean_age_survival_rate,
        {{ ratio('survived_count', 'customer_count') }} as actual_survival_rate,
        {{ ratio('squared_error', 'customer_count') }} as survival_brier_score,
        {{ ratio('age_squared_error', 'customer_count') }} as age_survival_brier_score,
        -- of two customers, one lost: how often the other had the better prediction
        {{ ratio(
            'doubled_ranks - survived_count * (survived_count + 1)',
            '2 * survived_count * (customer_count - survived_count)'
        ) }} as survival_auc
    from summed
)

select * from final
