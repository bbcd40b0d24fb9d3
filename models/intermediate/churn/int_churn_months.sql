-- Movement of customers by month, for each relationship and acquisition channel.
-- At risk in a month is who was there at its start and had been there for long enough
-- to be able to churn in it: without contract nobody can before the threshold has
-- passed since the first (or win-back) purchase.
{% set months_so_far -%}
(
    partition by relationship, acquisition_channel
    order by calendar_month
    rows between unbounded preceding and current row
)
{%- endset %}

with

events as (
    select
        customer_id,
        event_date,
        event_month,
        churn_event,
        relationship,
        acquisition_channel,
        stay_start_date
    from {{ ref('int_churn_events') }}
),

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

live as (
    select
        cutoff_date,
        {{ month_start('cutoff_date') }} as live_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

dated as (
    select
        events.relationship,
        events.acquisition_channel,
        events.event_month,
        events.churn_event,
        {{ month_start('events.stay_start_date') }} as stay_start_month,
        case
            when events.relationship = 'noncontractual'
                then {{ month_start(
                    add_days('events.stay_start_date', 'threshold.inactivity_days')
                ) }}
            else {{ month_start('events.stay_start_date') }}
        end as earliest_churn_month
    from events
    cross join threshold
),

-- the first month in which the stay is there from the start and may end
phased as (
    select
        relationship,
        acquisition_channel,
        event_month,
        churn_event,
        stay_start_month,
        case
            when earliest_churn_month > stay_start_month then earliest_churn_month
            else {{ add_months('stay_start_month', 1) }}
        end as first_risk_month
    from dated
),

changes as (
    select
        relationship,
        acquisition_channel,
        event_month as calendar_month,
        case when churn_event = 'new' then 1 else 0 end as new_count,
        case when churn_event = 'churned' then 1 else 0 end as churned_count,
        case
            when churn_event = 'churned' and event_month > stay_start_month
                then 1
            else 0
        end as churned_from_start_count,
        case when churn_event = 'won_back' then 1 else 0 end as won_back_count,
        0 as entered_risk_count
    from phased

    union all

    select
        relationship,
        acquisition_channel,
        first_risk_month as calendar_month,
        0 as new_count,
        0 as churned_count,
        0 as churned_from_start_count,
        0 as won_back_count,
        -- gone within the month it came: never at risk at the start of a month
        case when churn_event = 'churned' then -1 else 1 end as entered_risk_count
    from phased
    where churn_event != 'churned' or event_month = stay_start_month
),

changes_by_month as (
    select
        relationship,
        acquisition_channel,
        calendar_month,
        sum(new_count) as new_count,
        sum(churned_count) as churned_count,
        sum(churned_from_start_count) as churned_from_start_count,
        sum(won_back_count) as won_back_count,
        sum(entered_risk_count) as entered_risk_count
    from changes
    group by relationship, acquisition_channel, calendar_month
),

first_months as (
    select
        relationship,
        acquisition_channel,
        min(calendar_month) as first_month
    from changes_by_month
    group by relationship, acquisition_channel
),

grid as (
    select
        first_months.relationship,
        first_months.acquisition_channel,
        {{ add_months('first_months.first_month', 'counter.n') }} as calendar_month,
        live.cutoff_date
    from first_months
    cross join live
    -- a hundred years
    inner join {{ numbers(1200) }} as counter
        on counter.n <= {{ months_between('first_month', 'live_month') }}
),

filled as (
    select
        grid.relationship,
        grid.acquisition_channel,
        grid.calendar_month,
        {{ add_months('grid.calendar_month', 1) }} as next_month,
        grid.cutoff_date,
        coalesce(changes_by_month.new_count, 0) as new_count,
        coalesce(changes_by_month.churned_count, 0) as churned_count,
        coalesce(changes_by_month.churned_from_start_count, 0)
            as churned_from_start_count,
        coalesce(changes_by_month.won_back_count, 0) as won_back_count,
        coalesce(changes_by_month.entered_risk_count, 0) as entered_risk_count
    from grid
    left join changes_by_month
        on
            grid.relationship = changes_by_month.relationship
            and grid.acquisition_channel = changes_by_month.acquisition_channel
            and grid.calendar_month = changes_by_month.calendar_month
),

accumulated as (
    select
        relationship,
        acquisition_channel,
        calendar_month,
        next_month,
        cutoff_date,
        new_count,
        won_back_count,
        churned_count,
        churned_from_start_count,
        sum(new_count + won_back_count - churned_count) over {{ months_so_far }}
            as customers_at_end_count,
        -- who churned this month was at risk in it still
        sum(entered_risk_count - churned_from_start_count) over {{ months_so_far }}
        + churned_from_start_count as customers_at_risk_count
    from filled
),

final as (
    select
        calendar_month,
        relationship,
        acquisition_channel,
        cast(
            customers_at_end_count - new_count - won_back_count + churned_count
            as bigint
        ) as customers_at_start_count,
        cast(new_count as bigint) as joined_count,
        cast(won_back_count as bigint) as won_back_count,
        cast(churned_count as bigint) as churned_count,
        cast(churned_from_start_count as bigint) as churned_from_start_count,
        cast(customers_at_end_count as bigint) as customers_at_end_count,
        cast(customers_at_risk_count as bigint) as customers_at_risk_count,
        next_month <= {{ add_days('cutoff_date', 1) }} as is_mature
    from accumulated
)

select * from final
