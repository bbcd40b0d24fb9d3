-- What people write in SQL instead of a model, on the evening of a cutoff and for the
-- window until the next one:
--   classic          all purchases so far per month, less the monthly churn rate, go on
--   last_period      the equally long window before the cutoff repeats itself
--   rate             repeat purchases per day since the first go on
--   rate_with_first  all purchases per day since the first go on
-- The first purchase does not count in last_period and rate: nobody makes it again.
-- The churn rate is that of customers who fall silent, in the last 12 complete months
-- in which anyone could have, with the threshold as it was known then.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        holdout_days,
        {{ ratio('holdout_days * 12', '365.25') }} as window_months,
        {{ add_days('cutoff_date', '-holdout_days') }} as window_before_date,
        {{ month_start(add_days('cutoff_date', 1)) }} as open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff != 'live'
),

features as (
    select
        cutoff,
        customer_id,
        first_purchase_date,
        last_purchase_date,
        purchase_count,
        frequency,
        age_days,
        purchase_revenue_amount
    from {{ ref('int_customer_features') }}
    where cutoff != 'live'
),

repeats as (
    select
        customer_id,
        activity_date,
        previous_purchase_date,
        days_since_previous_purchase,
        revenue_amount
    from {{ ref('int_customer_days') }}
    where purchase_number >= 2
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

-- the rule of int_churn_threshold, with the gaps that had closed by then
thresholds as (
    select
        cutoffs.cutoff,
        cast(coalesce(
            {{ setting_number('churn_inactivity_days', minimum=1, whole=true) }},
            case
                when count(repeats.customer_id) > 0
                    then greatest(30, ceil({{ percentile(
                        'repeats.days_since_previous_purchase', 0.9
                    ) }}))
            end,
            365
        ) as integer) as inactivity_days
    from cutoffs
    left join repeats on cutoffs.cutoff_date >= repeats.activity_date
    group by cutoffs.cutoff
),

first_purchases as (
    select
        cutoff,
        min(first_purchase_date) as first_purchase_date
    from features
    group by cutoff
),

-- from the first month that counts to before the open one
churn_months as (
    select
        cutoffs.cutoff,
        cutoffs.cutoff_date,
        thresholds.inactivity_days,
        greatest(
            {{ add_months('cutoffs.open_month', -12) }},
            {{ month_start(add_days(
                'first_purchases.first_purchase_date', 'thresholds.inactivity_days'
            )) }}
        ) as first_month,
        cutoffs.open_month
    from cutoffs
    inner join thresholds on cutoffs.cutoff = thresholds.cutoff
    inner join first_purchases on cutoffs.cutoff = first_purchases.cutoff
),

-- a customer is one from a purchase to the next, or until silent for too long
stays as (
    select
        churn_months.cutoff,
        churn_months.first_month,
        churn_months.open_month,
        repeats.previous_purchase_date as purchase_date,
        repeats.activity_date as next_purchase_date,
        {{ add_days(
            'repeats.previous_purchase_date', 'churn_months.inactivity_days'
        ) }} as silent_date
    from repeats
    inner join churn_months on repeats.activity_date <= churn_months.cutoff_date

    union all

    select
        churn_months.cutoff,
        churn_months.first_month,
        churn_months.open_month,
        features.last_purchase_date as purchase_date,
        cast(null as date) as next_purchase_date,
        {{ add_days('features.last_purchase_date', 'churn_months.inactivity_days') }}
            as silent_date
    from features
    inner join churn_months on features.cutoff = churn_months.cutoff
),

-- at the start of a month is who bought in an earlier one and had not fallen silent
counted as (
    select
        cutoff,
        {{ months_between(
            'greatest(purchase_date, ' ~ add_days('first_month', -1) ~ ')',
            'least(coalesce(next_purchase_date, silent_date), silent_date, '
            ~ add_days('open_month', -1) ~ ')'
        ) }} as months_started,
        case
            when
                coalesce(next_purchase_date > silent_date, true)
                and silent_date >= first_month
                and silent_date < open_month
                and {{ months_between('purchase_date', 'silent_date') }} > 0
                then 1
            else 0
        end as churned
    from stays
),

churn_rates as (
    select
        cutoff,
        {{ ratio('sum(churned)', 'sum(greatest(months_started, 0))') }}
            as monthly_churn_rate
    from counted
    group by cutoff
),

last_periods as (
    select
        cutoffs.cutoff,
        repeats.customer_id,
        count(*) as purchase_count,
        sum(repeats.revenue_amount) as revenue_amount
    from repeats
    inner join cutoffs
        on
            repeats.activity_date > cutoffs.window_before_date
            and repeats.activity_date <= cutoffs.cutoff_date
    group by cutoffs.cutoff, repeats.customer_id
),

known as (
    select
        features.cutoff,
        features.customer_id,
        features.frequency,
        features.purchase_count,
        features.purchase_revenue_amount,
        -- whole days are the smallest age that a formula can divide by
        greatest(features.age_days, 1) as age_days,
        -- a customer of a few days would seem to spend a fortune a month
        greatest(1, {{ ratio('features.age_days * 12', '365.25') }}) as age_months,
        cutoffs.holdout_days,
        cutoffs.window_months,
        1 - churn_rates.monthly_churn_rate as monthly_retention,
        coalesce(last_periods.purchase_count, 0) as last_period_purchase_count,
        coalesce(last_periods.revenue_amount, 0) as last_period_revenue_amount
    from features
    inner join sampled on features.customer_id = sampled.customer_id
    inner join cutoffs on features.cutoff = cutoffs.cutoff
    inner join churn_rates on features.cutoff = churn_rates.cutoff
    left join last_periods
        on
            features.cutoff = last_periods.cutoff
            and features.customer_id = last_periods.customer_id
),

paced as (
    select
        known.cutoff,
        known.customer_id,
        known.frequency,
        {{ ratio('known.purchase_count', 'known.age_months') }}
        * known.monthly_retention * known.window_months as classic_purchases,
        known.last_period_purchase_count,
        known.last_period_revenue_amount,
        {{ ratio('known.frequency * known.holdout_days', 'known.age_days') }}
            as rate_purchases,
        {{ ratio('known.purchase_count * known.holdout_days', 'known.age_days') }}
            as rate_with_first_purchases,
        {{ ratio('known.purchase_revenue_amount', 'known.purchase_count') }}
            as mean_spend
    from known
),

final as (
    select
        cutoff,
        customer_id,
        frequency,
        classic_purchases,
        classic_purchases * mean_spend as classic_revenue,
        cast(last_period_purchase_count as {{ type_double() }})
            as last_period_purchases,
        cast(last_period_revenue_amount as {{ type_double() }}) as last_period_revenue,
        rate_purchases,
        rate_purchases * mean_spend as rate_revenue,
        rate_with_first_purchases,
        rate_with_first_purchases * mean_spend as rate_with_first_revenue
    from paced
)

select * from final
