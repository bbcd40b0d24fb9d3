-- Everyone whom the shop knows since a day is in one cohort, and with each purchase
-- that counts. One row if not.
with

expected as (
    select
        (
            select count(*)
            from {{ ref('dim_customers') }}
            where acquired_date is not null
        ) as customer_count,
        (
            select count(*)
            from {{ ref('int_customer_days') }}
            where purchase_number = 1
        ) as first_purchase_count,
        (
            select count(*)
            from {{ ref('int_customer_days') }}
            where purchase_number = 2
        ) as second_purchase_count
),

sums as (
    select
        coalesce(sum(customer_count), 0) as customer_count,
        coalesce(sum(first_purchase_count), 0) as first_purchase_count,
        coalesce(sum(second_purchase_count), 0) as second_purchase_count
    from {{ ref('fct_activation') }}
)

select
    sums.customer_count,
    sums.first_purchase_count,
    sums.second_purchase_count
from sums
cross join expected
where
    sums.customer_count != expected.customer_count
    or sums.first_purchase_count != expected.first_purchase_count
    or sums.second_purchase_count != expected.second_purchase_count
