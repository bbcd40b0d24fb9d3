-- Of the customers who left in a month, who came back, how soon, and what they brought.
-- A loss and a return are those of int_churn_events; who leaves twice counts twice, and
-- what is bought belongs to the last return before it. Came back within three months =
-- by the day of the loss three months on. A month has such a figure once the last of
-- those who left in it has had that time. Who returns on the day on which a contract of
-- theirs starts has subscribed again; who ended a contract may also just buy again.
{% set windows = [3, 6, 12] %}
{% set customer_events = '(partition by customer_id order by event_number)' %}

with

live as (
    select
        cutoff_date,
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

events as (
    select
        customer_id,
        event_date,
        event_month,
        event_number,
        churn_event,
        relationship
    from {{ ref('int_churn_events') }}
),

customer_days as (
    select
        customer_id,
        activity_date,
        revenue_amount,
        margin_amount
    from {{ ref('int_customer_days') }}
),

contracts as (
    select
        customer_id,
        started_date
    from {{ ref('int_contract_histories') }}
),

events_with_next as (
    select
        customer_id,
        event_date,
        event_month,
        event_number,
        churn_event,
        relationship,
        lead(event_date) over {{ customer_events }} as next_event_date,
        lead(event_date, 2) over {{ customer_events }} as second_next_event_date,
        lead(event_date, 3) over {{ customer_events }} as third_next_event_date
    from events
),

losses as (
    select
        customer_id,
        event_number,
        event_date as churn_date,
        event_month as churn_month,
        relationship,
        next_event_date as return_date,
        second_next_event_date as next_churn_date,
        third_next_event_date as next_return_date
    from events_with_next
    where churn_event = 'churned'
),

values_since_return as (
    select
        losses.customer_id,
        losses.event_number,
        sum(customer_days.revenue_amount) as revenue_amount,
        sum(customer_days.margin_amount) as margin_amount
    from losses
    inner join customer_days
        on
            losses.customer_id = customer_days.customer_id
            and losses.return_date <= customer_days.activity_date
            and (
                losses.next_return_date is null
                or losses.next_return_date > customer_days.activity_date
            )
    group by losses.customer_id, losses.event_number
),

valued as (
    select
        losses.churn_month,
        losses.relationship,
        losses.return_date,
        losses.next_churn_date,
        {{ days_between('losses.churn_date', 'losses.return_date') }} as return_days,
        {%- for months in windows %}
        coalesce(
            losses.return_date <= {{ add_months('losses.churn_date', months) }}, false
        ) as has_returned_in_{{ months }}_months,
        {%- endfor %}
        contracts.started_date as resubscribed_date,
        coalesce(values_since_return.revenue_amount, 0) as revenue_amount,
        coalesce(values_since_return.margin_amount, 0) as margin_amount
    from losses
    left join values_since_return
        on
            losses.customer_id = values_since_return.customer_id
            and losses.event_number = values_since_return.event_number
    left join contracts
        on
            losses.customer_id = contracts.customer_id
            and losses.return_date = contracts.started_date
),

summed as (
    select
        churn_month,
        relationship,
        count(*) as churned_count,
        count(return_date) as returned_count,
        count(resubscribed_date) as resubscribed_count,
        {%- for months in windows %}
        sum(case when has_returned_in_{{ months }}_months then 1 else 0 end)
            as returned_{{ months }}_months_count,
        {%- endfor %}
        {{ percentile(
            'case when has_returned_in_12_months then return_days end', 0.5
        ) }} as median_return_days,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount,
        count(next_churn_date) as lost_again_count
    from valued
    group by churn_month, relationship
),

dated as (
    select
        summed.*,
        {%- for months in windows %}
        {{ add_months('summed.churn_month', months) }} < live.first_open_month
            as has_had_{{ months }}_months,
        {%- endfor %}
        summed.churn_month < live.first_open_month as is_mature
    from summed
    cross join live
),

final as (
    select
        churn_month,
        relationship,
        cast(churned_count as bigint) as churned_count,
        cast(returned_count as bigint) as returned_count,
        cast(resubscribed_count as bigint) as resubscribed_count,
        {%- for months in windows %}
        case
            when has_had_{{ months }}_months
                then cast(returned_{{ months }}_months_count as bigint)
        end as returned_{{ months }}_months_count,
        {%- endfor %}
        {%- for months in windows %}
        case
            when has_had_{{ months }}_months
                then {{ ratio(
                    'returned_' ~ months ~ '_months_count', 'churned_count'
                ) }}
        end as returned_{{ months }}_months_rate,
        {%- endfor %}
        case
            when has_had_12_months then cast(median_return_days as {{ type_double() }})
        end as median_return_days,
        {{ money('revenue_amount') }} as returned_revenue_amount,
        {{ money('margin_amount') }} as returned_margin_amount,
        {{ money(ratio('revenue_amount', 'returned_count')) }}
            as revenue_per_return_amount,
        {{ money(ratio('margin_amount', 'returned_count')) }}
            as margin_per_return_amount,
        cast(lost_again_count as bigint) as lost_again_count,
        is_mature
    from dated
)

select * from final
