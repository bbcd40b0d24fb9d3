-- What a season is learned from: on each day, how many customers came and how many who
-- had come before bought again.
with

final as (
    select
        activity_date as purchase_date,
        count(case when purchase_number = 1 then 1 end) as new_customer_count,
        count(case when purchase_number > 1 then 1 end) as repeat_purchase_count
    from {{ ref('int_customer_days') }}
    where is_purchase
    group by activity_date
)

select * from final
