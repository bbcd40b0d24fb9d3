-- Which order each touchpoint led to: the customer's next one, from the touch's own
-- moment on, if it came within the attribution window. So every touch belongs to one
-- order at most, and an order has none from before the customer's previous order.
-- A touch without an order in its window has lapsed; while the window runs, it is open.
-- The touches that led to one order are its path. Lapsed and open touches form paths
-- too; a pause longer than the window, in which no order could join them, ends one.
{#- a touch at the moment of an order comes before it -#}
{% set events_from_here -%}
(
    partition by customer_id
    order by event_at, coalesce(order_number, 0)
    rows between current row and unbounded following
)
{%- endset %}
{% set events_so_far -%}
(
    partition by customer_id
    order by event_at, coalesce(order_number, 0)
    rows between unbounded preceding and current row
)
{%- endset %}
{% set path = '(partition by customer_id, order_number, path_outcome)' %}
{% set path_touches -%}
(
    partition by customer_id, order_number, path_outcome
    order by touched_at, touchpoint_id
)
{%- endset %}

with

live as (
    select
        cutoff_date,
        {{ setting_number('attribution_window_days', 1, 365, true) }} as window_days
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

touches as (
    select
        touchpoints.touchpoint_id,
        touchpoints.customer_id,
        touchpoints.touched_at,
        touchpoints.channel
    from {{ ref('stg_shop__touchpoints') }} as touchpoints
    inner join live on cast(touchpoints.touched_at as date) <= live.cutoff_date
),

orders as (
    select
        customer_id,
        ordered_at,
        order_number
    from {{ ref('fct_orders') }}
    where
        order_number is not null
        and customer_id in (select touches.customer_id from touches)
),

events as (
    select
        customer_id,
        touched_at as event_at,
        touchpoint_id,
        channel,
        cast(null as bigint) as order_number
    from touches

    union all

    select
        customer_id,
        ordered_at as event_at,
        cast(null as {{ dbt.type_string() }}) as touchpoint_id,
        cast(null as {{ dbt.type_string() }}) as channel,
        order_number
    from orders
),

followed as (
    select
        touchpoint_id,
        customer_id,
        event_at as touched_at,
        channel,
        order_number as own_order_number,
        min(order_number) over {{ events_from_here }} as order_number,
        min(case when order_number is not null then event_at end)
            over {{ events_from_here }}
            as ordered_at,
        count(order_number) over {{ events_so_far }} as earlier_order_count
    from events
),

decided as (
    select
        followed.touchpoint_id,
        followed.customer_id,
        followed.touched_at,
        cast(followed.touched_at as date) as touched_date,
        followed.channel,
        followed.order_number,
        cast(followed.ordered_at as date) as order_date,
        case
            when
                {{ days_between(
                    'cast(followed.touched_at as date)',
                    'cast(followed.ordered_at as date)'
                ) }} <= live.window_days
                then 'converted'
            when
                followed.order_number is null
                and {{ days_between(
                    'cast(followed.touched_at as date)', 'live.cutoff_date'
                ) }} < live.window_days
                then 'open'
            else 'lapsed'
        end as path_outcome,
        followed.earlier_order_count = 0 as is_before_first_order,
        live.cutoff_date,
        live.window_days
    from followed
    cross join live
    where followed.own_order_number is null
),

in_paths as (
    select
        touchpoint_id,
        customer_id,
        touched_date,
        channel,
        order_number,
        order_date,
        path_outcome,
        is_before_first_order,
        cutoff_date,
        window_days,
        row_number() over {{ path_touches }} as touch_number,
        count(*) over {{ path }} as path_touch_count,
        min(touched_date) over {{ path }} as first_touched_date,
        lag(touched_date) over {{ path_touches }} as previous_touched_date,
        lead(touched_date) over {{ path_touches }} as next_touched_date,
        lead(channel) over {{ path_touches }} as following_channel
    from decided
),

final as (
    select
        touchpoint_id,
        customer_id,
        channel,
        path_outcome,
        is_before_first_order,
        case when path_outcome = 'converted' then order_number end
            as path_order_number,
        case when path_outcome = 'converted' then touch_number end as touch_number,
        case when path_outcome = 'converted' then path_touch_count end
            as path_touch_count,
        case
            when path_outcome = 'converted'
                then {{ days_between('touched_date', 'order_date') }}
        end as days_before_order,
        case
            when {{ days_between('touched_date', 'next_touched_date') }} <= window_days
                then following_channel
        end as next_channel,
        coalesce(
            {{ days_between('previous_touched_date', 'touched_date') }} > window_days,
            true
        ) as is_path_start,
        {{ days_between('first_touched_date', 'cutoff_date') }} >= window_days
            as is_window_over
    from in_paths
)

select * from final
