-- How much each customer is drawn to the categories bought before: the share of
-- purchases that will hold the category, the customer's own drawn towards everyone's
-- (gamma-Poisson), and the place of the category among those the customer bought.
with

customers as (
    select
        cutoff,
        customer_id,
        item_purchase_count,
        next_purchases
    from {{ ref('int_product_customers') }}
),

categories as (
    select
        cutoff,
        category,
        mean_rate,
        shape
    from {{ ref('int_category_rates') }}
),

categories_bought as (
    select
        cutoff,
        customer_id,
        category,
        category_purchase_count,
        margin_amount
    from {{ ref('int_categories_bought') }}
),

final as (
    select
        categories_bought.cutoff,
        categories_bought.customer_id,
        categories_bought.category,
        categories_bought.category_purchase_count,
        customers.item_purchase_count,
        categories_bought.margin_amount,
        {{ gamma_poisson_rate(
            'categories.shape', 'categories.mean_rate',
            'categories_bought.category_purchase_count',
            'customers.item_purchase_count'
        ) }} as category_rate,
        customers.next_purchases,
        row_number() over (
            partition by categories_bought.cutoff, categories_bought.customer_id
            order by
                categories_bought.category_purchase_count desc,
                categories.mean_rate desc,
                categories_bought.category asc
        ) as category_rank
    from categories_bought
    inner join categories
        on
            categories_bought.cutoff = categories.cutoff
            and categories_bought.category = categories.category
    inner join customers
        on
            categories_bought.cutoff = customers.cutoff
            and categories_bought.customer_id = customers.customer_id
)

select * from final
