-- How far the customers of each cohort come: known, activated by a first purchase,
-- retained by the next, loyal at the purchase that lifecycle_stages asks for. A paid
-- month of a contract counts as a purchase, and two purchases of a day are one. Counts
-- are so far; what compares cohorts are the rates within 180 days of acquisition, which
-- stay unknown until everyone of the cohort has been known for so long. They are never
-- known of cohorts from before the month of the first order: nobody saw them buy then.
{% set steps = ['activated', 'retained', 'loyal'] %}

with

live as (
    select
        cutoff_date,
        -- the first month of which someone has been known for less than 180 days
        {{ month_start(add_days('cutoff_date', '1 - 180')) }} as first_open_month,
        {{ month_start('first_order_date') }} as first_order_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        customer_id,
        acquired_date,
        acquisition_channel
    from {{ ref('dim_customers') }}
    -- listed without a date, and never purchased: no cohort
    where acquired_date is not null
),

stages as (
    select
        coalesce(
            min(case when stage = 'retained' then minimum_purchase_count end), 2
        ) as retained_number,
        coalesce(
            min(case when stage like 'loyal%' then minimum_purchase_count end), 4
        ) as loyal_number
    from {{ ref('lifecycle_stages') }}
),

purchases as (
    select
        customer_id,
        activity_date as event_date,
        purchase_number
    from {{ ref('int_customer_days') }}
    where purchase_number is not null
),

paid_months as (
    select
        customer_id,
        paid_date as event_date
    from {{ ref('int_paid_months') }}
),

contract_customers as (
    select distinct customer_id
    from paid_months
),

contract_events as (
    select distinct
        customer_id,
        event_date
    from (
        select
            purchases.customer_id,
            purchases.event_date
        from purchases
        inner join contract_customers
            on purchases.customer_id = contract_customers.customer_id

        union all

        select
            customer_id,
            event_date
        from paid_months
    ) as purchases_and_payments
),

events as (
    select
        purchases.customer_id,
        purchases.event_date,
        purchases.purchase_number as event_number
    from purchases
    left join contract_customers
        on purchases.customer_id = contract_customers.customer_id
    where contract_customers.customer_id is null

    union all

    select
        customer_id,
        event_date,
        row_number() over (partition by customer_id order by event_date)
            as event_number
    from contract_events
),

dated as (
    select
        events.customer_id,
        min(case when events.event_number = 1 then events.event_date end)
            as activated_date,
        min(
            case
                when events.event_number = stages.retained_number then events.event_date
            end
        ) as retained_date,
        min(
            case
                when events.event_number = stages.loyal_number then events.event_date
            end
        ) as loyal_date
    from events
    cross join stages
    where events.event_number in (1, stages.retained_number, stages.loyal_number)
    group by events.customer_id
),

timed as (
    select
        {{ month_start('customers.acquired_date') }} as acquired_month,
        customers.acquisition_channel as channel,
        customers.acquired_date >= live.first_order_month
        and {{ month_start('customers.acquired_date') }} < live.first_open_month
            as is_mature,
        {{ days_between('customers.acquired_date', 'dated.activated_date') }}
            as days_to_activated,
        {{ days_between('customers.acquired_date', 'dated.retained_date') }}
            as days_to_retained,
        {{ days_between('customers.acquired_date', 'dated.loyal_date') }}
            as days_to_loyal
    from customers
    cross join live
    left join dated on customers.customer_id = dated.customer_id
),

counted as (
    select
        acquired_month,
        channel,
        is_mature,
        {% for step in steps %}
        count(days_to_{{ step }}) as {{ step }}_count,
        count(case when days_to_{{ step }} <= 180 then 1 end)
            as {{ step }}_180_days_count,
        {{ percentile(
            'case when days_to_' ~ step ~ ' <= 180 then days_to_' ~ step ~ ' end', 0.5
        ) }} as median_days_to_{{ step }},
        {% endfor %}
        count(*) as customer_count
    from timed
    group by acquired_month, channel, is_mature
),

final as (
    select
        acquired_month,
        channel,
        cast(customer_count as bigint) as customer_count,
        {% for step in steps %}
        cast({{ step }}_count as bigint) as {{ step }}_count,
        {% endfor %}
        {% for step in steps %}
        case when is_mature then cast({{ step }}_180_days_count as bigint) end
            as {{ step }}_180_days_count,
        {% endfor %}
        {% for step in steps %}
        case when is_mature then
            {{ ratio(
                step ~ '_180_days_count',
                'customer_count' if loop.first else loop.previtem ~ '_180_days_count'
            ) }}
        end as {{ step }}_180_days_rate,
        {% endfor %}
        {% for step in steps %}
        cast(
            case when is_mature then median_days_to_{{ step }} end
            as {{ type_double() }}
        ) as median_days_to_{{ step }},
        {% endfor %}
        is_mature
    from counted
)

select * from final
