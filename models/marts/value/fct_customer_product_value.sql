-- The product view of what a customer is worth in the next three months: V = sum over
-- the categories of P x R, with P the chance to buy in the category at least once and R
-- the margin of a purchase in it; both the customer's own, drawn towards everyone's.
-- Categories never bought differ between customers only by how many purchases were seen
-- and are expected: they are summed once per class of those (expected purchases in
-- steps of five per cent), not once per customer.
{% set step = (
    'case when next_purchases > 0'
    ~ ' then cast(round(20 * ln(next_purchases)) as integer) end'
) %}

with

customers as (
    select
        customer_id,
        item_purchase_count,
        next_purchases,
        {{ step }} as step
    from {{ ref('int_product_customers') }}
    where cutoff = 'live'
),

categories as (
    select
        category,
        mean_rate,
        shape,
        cast(margin_per_purchase_amount as {{ type_double() }}) as mean_margin
    from {{ ref('int_category_rates') }}
    where cutoff = 'live'
),

bought as (
    select
        customer_id,
        category,
        category_purchase_count,
        item_purchase_count,
        margin_amount,
        next_purchases,
        {{ step }} as step
    from {{ ref('int_category_interests') }}
    where cutoff = 'live'
),

expected_margins as (
    select
        customer_id,
        expected_margin_3_months_amount
    from {{ ref('fct_customer_value') }}
),

classes as (
    select distinct
        item_purchase_count,
        step
    from customers
),

-- no step: nothing is expected, so P is 0
never_bought as (
    select
        classes.item_purchase_count,
        classes.step,
        categories.category,
        coalesce({{ gamma_poisson_probability(
            'categories.shape', 'categories.mean_rate', 0,
            'classes.item_purchase_count', 'exp(0.05 * classes.step)'
        ) }}, 0) * categories.mean_margin as category_value
    from classes
    cross join categories
),

all_never_bought as (
    select
        item_purchase_count,
        step,
        sum(cast(category_value as decimal(38, 12))) as value_of_all
    from never_bought
    group by item_purchase_count, step
),

bought_instead as (
    select
        bought.customer_id,
        {{ gamma_poisson_probability(
            'categories.shape', 'categories.mean_rate',
            'bought.category_purchase_count', 'bought.item_purchase_count',
            'bought.next_purchases'
        ) }}
        * {{ ratio(
            'bought.margin_amount + 3 * categories.mean_margin',
            'bought.category_purchase_count + 3'
        ) }} as category_value,
        never_bought.category_value as value_if_never_bought
    from bought
    inner join categories on bought.category = categories.category
    inner join never_bought
        on
            bought.item_purchase_count = never_bought.item_purchase_count
            and bought.step is not distinct from never_bought.step
            and bought.category = never_bought.category
),

summed as (
    select
        customer_id,
        count(*) as bought_category_count,
        sum(cast(coalesce(category_value, 0) as decimal(38, 12)))
            as value_of_bought,
        sum(cast(value_if_never_bought as decimal(38, 12))) as value_if_never_bought
    from bought_instead
    group by customer_id
),

final as (
    select
        customers.customer_id,
        customers.item_purchase_count,
        cast(coalesce(summed.bought_category_count, 0) as bigint)
            as bought_category_count,
        case when customers.next_purchases is not null then
            {{ money(
                'all_never_bought.value_of_all'
                ~ ' - coalesce(summed.value_if_never_bought, 0)'
                ~ ' + coalesce(summed.value_of_bought, 0)'
            ) }}
        end as product_value_amount,
        expected_margins.expected_margin_3_months_amount
    from customers
    inner join all_never_bought
        on
            customers.item_purchase_count = all_never_bought.item_purchase_count
            and customers.step is not distinct from all_never_bought.step
    left join summed on customers.customer_id = summed.customer_id
    left join expected_margins on customers.customer_id = expected_margins.customer_id
)

select * from final
