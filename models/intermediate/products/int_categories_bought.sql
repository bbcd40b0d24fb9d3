-- In which categories each customer had bought by the cutoff, and on how many days.
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
        category,
        sum(margin_amount) as margin_amount
    from {{ ref('int_product_days') }}
    group by customer_id, purchase_date, category
),

final as (
    select
        customers.cutoff,
        days.customer_id,
        days.category,
        cast(count(*) as bigint) as category_purchase_count,
        {{ money('sum(days.margin_amount)') }} as margin_amount
    from days
    inner join customers
        on
            days.customer_id = customers.customer_id
            and days.purchase_date <= customers.cutoff_date
    group by customers.cutoff, days.customer_id, days.category
)

select * from final
