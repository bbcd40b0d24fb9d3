-- Carries no personal data: a birth date becomes an age band, names and addresses of
-- any kind stay behind in staging.
with

customers as (
    select
        customer_id,
        acquired_date
    from {{ ref('int_customers_known') }}
),

listed as (
    select
        customer_id,
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
        cutoff_date,
        first_purchase_date,
        last_purchase_date
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
),

contracts as (
    select distinct customer_id
    from {{ ref('stg_shop__subscriptions') }}
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
    cross join {{ ref('int_cutoff_dates') }} as live
    where live.cutoff = 'live'
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
        case
            when '{{ setting_choice(
                "relationship", ["auto", "contractual", "noncontractual"]
            ) }}' != 'auto' then '{{ var("relationship") }}'
            when contracts.customer_id is not null then 'contractual'
            else 'noncontractual'
        end as relationship,
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
