-- Everyone the shop knows by the live cutoff: who is listed, who ordered, who has a
-- contract.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

sightings as (
    select
        customer_id,
        cast(created_at as date) as seen_date,
        true as is_listed
    from {{ ref('stg_shop__customers') }}

    union all

    select
        customer_id,
        order_date as seen_date,
        false as is_listed
    from {{ ref('fct_orders') }}
    where not is_guest

    union all

    select
        customer_id,
        cast(started_at as date) as seen_date,
        false as is_listed
    from {{ ref('stg_shop__subscriptions') }}
),

final as (
    select
        sightings.customer_id,
        min(sightings.seen_date) as acquired_date
    from sightings
    cross join live
    group by sightings.customer_id, live.cutoff_date
    having
        min(sightings.seen_date) <= live.cutoff_date
        -- listed without a date: known for as long as there is data
        or (min(sightings.seen_date) is null and max(live.cutoff_date) is not null)
)

select * from final
