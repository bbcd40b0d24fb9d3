-- Where no lever has moved, the rows are all customers with a known value, and their
-- values to the last cent. (A shop with too few of them has no rows.)
with

unmoved as (
    select
        lever,
        sum(customer_count) as customer_count,
        sum(residual_value_amount) as residual_value_amount,
        sum(lifetime_value_amount) as lifetime_value_amount
    from {{ ref('fct_value_sensitivity') }}
    where lever_change = 0
    group by lever
),

customer_values as (
    select
        count(*) as customer_count,
        sum(residual_value_amount) as residual_value_amount,
        sum(lifetime_value_amount) as lifetime_value_amount
    from {{ ref('fct_customer_value') }}
    where residual_value_amount is not null
),

final as (
    select
        unmoved.lever,
        unmoved.residual_value_amount,
        customer_values.residual_value_amount as expected_residual_value_amount
    from unmoved
    cross join customer_values
    where
        unmoved.customer_count != customer_values.customer_count
        or unmoved.residual_value_amount != customer_values.residual_value_amount
        or unmoved.lifetime_value_amount != customer_values.lifetime_value_amount
)

select * from final
