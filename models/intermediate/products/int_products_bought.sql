-- Which products each customer had bought by the cutoff, on how many days, when last.
with

customers as (
    select
        cutoff,
        customer_id,
        cutoff_date
    from {{ ref('int_product_customers') }}
),

days as (
    select
        customer_id,
        purchase_date,
        product_id,
        category,
        margin_amount
    from {{ ref('int_product_days') }}
),

bought as (
    select
        customers.cutoff,
        days.customer_id,
        days.product_id,
        days.category,
        customers.cutoff_date,
        count(*) as product_purchase_count,
        min(days.purchase_date) as first_date,
        max(days.purchase_date) as last_date,
        sum(days.margin_amount) as margin_amount
    from days
    inner join customers
        on
            days.customer_id = customers.customer_id
            and days.purchase_date <= customers.cutoff_date
    group by
        customers.cutoff,
        days.customer_id,
        days.product_id,
        days.category,
        customers.cutoff_date
),

final as (
    select
        cutoff,
        customer_id,
        product_id,
        category,
        cast(product_purchase_count as bigint) as product_purchase_count,
        {{ days_between('first_date', 'last_date') }} as days_between_purchases,
        {{ days_between('last_date', 'cutoff_date') }} as days_since_product_purchase,
        {{ money('margin_amount') }} as margin_amount
    from bought
)

select * from final
