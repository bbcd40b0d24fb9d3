-- How many customers still had no second purchase so and so long after the first, by
-- Kaplan and Meier: a customer counts among those at risk for as long as it has been
-- observed, so that young customers neither bend the rate down nor are thrown away.
-- Estimated on days and shown at the end of each week, for two years at most.
{% set week_limit = 104 %}

with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        customer_id,
        first_purchase_date,
        cohort_month,
        acquisition_channel
    from {{ ref('dim_customers') }}
    where first_purchase_date is not null
),

second_purchases as (
    select
        customer_id,
        days_since_previous_purchase as duration_days
    from {{ ref('int_customer_days') }}
    where purchase_number = 2
),

durations as (
    select
        customers.cohort_month,
        customers.acquisition_channel,
        coalesce(
            second_purchases.duration_days,
            {{ days_between('customers.first_purchase_date', 'live.cutoff_date') }}
        ) as duration_days,
        second_purchases.customer_id is not null as has_returned
    from customers
    cross join live
    left join second_purchases on customers.customer_id = second_purchases.customer_id
),

counted as (
    select
        cohort_month,
        acquisition_channel,
        duration_days,
        has_returned,
        count(*) as customer_count
    from durations
    group by cohort_month, acquisition_channel, duration_days, has_returned
),

grouped as (
    select
        'all' as group_type,
        'all' as group_name,
        duration_days,
        has_returned,
        customer_count
    from counted

    union all

    select
        'cohort_month' as group_type,
        cast(cohort_month as {{ dbt.type_string() }}) as group_name,
        duration_days,
        has_returned,
        customer_count
    from counted

    union all

    select
        'acquisition_channel' as group_type,
        acquisition_channel as group_name,
        duration_days,
        has_returned,
        customer_count
    from counted
),

group_names as (
    select distinct
        group_type,
        group_name
    from grouped
),

-- no one, on the last day of each week: makes the curve have that day, as far as it
-- goes
week_ends as (
    select
        group_names.group_type,
        group_names.group_name,
        7 * numbers.n as duration_days,
        false as has_returned,
        0 as customer_count
    from group_names
    cross join {{ numbers(week_limit + 1) }} as numbers
),

observations as (
    select
        group_type,
        group_name,
        duration_days,
        has_returned,
        customer_count
    from grouped

    union all

    select
        group_type,
        group_name,
        duration_days,
        has_returned,
        customer_count
    from week_ends
),

curve as (
    {{ kaplan_meier(
        'observations', 'duration_days', 'has_returned',
        group_columns=['group_type', 'group_name'], observation_count='customer_count'
    ) }}
),

days as (
    select
        group_type,
        group_name,
        duration,
        -- the first week ends on day 7; day 0 stands for itself
        cast(ceil({{ ratio('duration', 7) }}) as integer) as weeks_since_first_purchase,
        at_risk_count,
        event_count,
        censored_count,
        survival_rate,
        survival_standard_error,
        survival_rate_lower,
        survival_rate_upper,
        min(case when survival_rate <= 0.5 then duration end)
            over (partition by group_type, group_name) as median_repeat_days
    from curve
),

weeks as (
    select
        group_type,
        group_name,
        weeks_since_first_purchase,
        max(at_risk_count) as at_risk_count,
        sum(event_count) as event_count,
        sum(censored_count) as censored_count,
        coalesce(
            max(
                case
                    when duration = 7 * weeks_since_first_purchase then survival_rate
                end
            ),
            -- with everyone back before the week is over, nothing can change any more
            case when min(survival_rate) = 0 then 0 end
        ) as survival_rate,
        max(
            case
                when duration = 7 * weeks_since_first_purchase
                    then survival_standard_error
            end
        ) as survival_standard_error,
        max(
            case
                when duration = 7 * weeks_since_first_purchase then survival_rate_lower
            end
        ) as survival_rate_lower,
        max(
            case
                when duration = 7 * weeks_since_first_purchase then survival_rate_upper
            end
        ) as survival_rate_upper,
        max(median_repeat_days) as median_repeat_days
    from days
    group by group_type, group_name, weeks_since_first_purchase
),

final as (
    select
        group_type,
        group_name,
        weeks_since_first_purchase,
        cast(at_risk_count as bigint) as at_risk_count,
        cast(event_count as bigint) as event_count,
        cast(censored_count as bigint) as censored_count,
        survival_rate,
        survival_standard_error,
        survival_rate_lower,
        survival_rate_upper,
        1 - survival_rate as repeat_rate,
        cast(median_repeat_days as integer) as median_repeat_days
    from weeks
    -- a week that no one has been observed to the end of has no estimate
    where
        survival_rate is not null
        and weeks_since_first_purchase <= {{ week_limit }}
)

select * from final
