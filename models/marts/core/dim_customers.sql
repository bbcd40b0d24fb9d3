-- Everyone the shop knows by the live cutoff: who is listed, who ordered, who has a
-- contract. Carries no personal data: a birth date becomes an age band, names and
-- addresses of any kind stay behind in staging.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

listed as (
    select
        customer_id,
        cast(created_at as date) as created_date,
        country,
        region,
        city,
        birth_date,
        gender,
        income_band,
        lifestyle,
        interests,
        acquisition_channel,
        acquisition_campaign,
        has_marketing_consent
    from {{ ref('stg_shop__customers') }}
),

purchases as (
    select
        customer_id,
        first_purchase_date,
        last_purchase_date
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
),

contracts as (
    select
        subscriptions.customer_id,
        min(cast(subscriptions.started_at as date)) as started_date
    from {{ ref('stg_shop__subscriptions') }} as subscriptions
    inner join live
        on cast(subscriptions.started_at as date) <= live.cutoff_date
    group by subscriptions.customer_id
),

orders as (
    select
        customer_id,
        min(order_date) as first_order_date
    from {{ ref('fct_orders') }}
    where not is_guest
    group by customer_id
),

sightings as (
    select
        customer_id,
        created_date as seen_date
    from listed

    union all

    select
        customer_id,
        started_date as seen_date
    from contracts

    union all

    select
        customer_id,
        first_order_date as seen_date
    from orders
),

acquired as (
    select
        customer_id,
        min(seen_date) as acquired_date
    from sightings
    group by customer_id
),

customers as (
    select
        acquired.customer_id,
        acquired.acquired_date
    from acquired
    inner join live
        -- listed without a date: known for as long as there is data
        on coalesce(acquired.acquired_date, live.cutoff_date) <= live.cutoff_date
),

ages as (
    select
        listed.customer_id,
        -- whole years on the live cutoff's evening
        extract(year from live.cutoff_date) - extract(year from listed.birth_date)
        - case
            when
                extract(month from listed.birth_date) * 100
                + extract(day from listed.birth_date)
                > extract(month from live.cutoff_date) * 100
                + extract(day from live.cutoff_date)
                then 1
            else 0
        end as age_years
    from listed
    cross join live
),

final as (
    select
        customers.customer_id,
        customers.acquired_date,
        purchases.first_purchase_date,
        {{ month_start('purchases.first_purchase_date') }} as cohort_month,
        purchases.last_purchase_date,
        coalesce(listed.acquisition_channel, 'unknown') as acquisition_channel,
        coalesce(listed.acquisition_campaign, 'unknown') as acquisition_campaign,
        {{ relationship_of('contracts.customer_id is not null') }} as relationship,
        listed.country,
        listed.region,
        listed.city,
        case
            when ages.age_years < 0 or ages.age_years > 120 then null
            when ages.age_years < 18 then 'under 18'
            when ages.age_years < 25 then '18-24'
            when ages.age_years < 35 then '25-34'
            when ages.age_years < 45 then '35-44'
            when ages.age_years < 55 then '45-54'
            when ages.age_years < 65 then '55-64'
            when ages.age_years >= 65 then '65 and over'
        end as age_band,
        listed.gender,
        listed.income_band,
        listed.lifestyle,
        listed.interests,
        coalesce(listed.has_marketing_consent, false) as has_marketing_consent
    from customers
    left join listed on customers.customer_id = listed.customer_id
    left join ages on customers.customer_id = ages.customer_id
    left join purchases on customers.customer_id = purchases.customer_id
    left join contracts on customers.customer_id = contracts.customer_id
)

select * from final
