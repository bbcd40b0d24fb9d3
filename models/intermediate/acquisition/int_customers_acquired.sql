-- A customer is acquired in the month of the first purchase, by the channel and the
-- campaign that the shop names for it. Who never purchased is not acquired yet.
with

customers as (
    select
        customer_id,
        cohort_month,
        acquisition_channel,
        acquisition_campaign
    from {{ ref('dim_customers') }}
    where cohort_month is not null
),

first_purchases as (
    select
        customer_id,
        revenue_amount
    from {{ ref('int_customer_days') }}
    where purchase_number = 1
),

live as (
    -- the first month whose end has not been seen
    select {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

final as (
    select
        customers.cohort_month,
        customers.acquisition_channel,
        customers.acquisition_campaign,
        count(*) as new_customer_count,
        {{ money('sum(first_purchases.revenue_amount)') }}
            as first_purchase_revenue_amount,
        customers.cohort_month < live.first_open_month as is_mature
    from customers
    inner join first_purchases on customers.customer_id = first_purchases.customer_id
    cross join live
    group by
        customers.cohort_month,
        customers.acquisition_channel,
        customers.acquisition_campaign,
        live.first_open_month
)

select * from final
