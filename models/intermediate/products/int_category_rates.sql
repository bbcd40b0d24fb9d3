-- How often a purchase holds a category, and how much customers differ in that: the
-- share of purchases that do is gamma-distributed over customers, with the mean and the
-- shape found by moments. A purchase holds a category once at most, so that chance
-- alone would bring n (n - 1) x mean^2 ordered pairs of purchases of it: more pairs
-- than that mean that tastes differ.
with

customers as (
    select
        cutoff,
        sum(item_purchase_count) as purchases,
        sum(item_purchase_count * (item_purchase_count - 1)) as purchase_pairs
    from {{ ref('int_product_customers') }}
    group by cutoff
),

categories as (
    select
        cutoff,
        category,
        sum(category_purchase_count) as purchases,
        sum(category_purchase_count * (category_purchase_count - 1)) as purchase_pairs,
        sum(margin_amount) as margin_amount
    from {{ ref('int_categories_bought') }}
    group by cutoff, category
),

counted as (
    select
        categories.cutoff,
        categories.category,
        categories.purchases,
        categories.purchase_pairs,
        {{ ratio('categories.purchases', 'customers.purchases') }} as mean_rate,
        {{ ratio('categories.purchases', 'customers.purchases') }}
        * {{ ratio('categories.purchases', 'customers.purchases') }}
        * cast(customers.purchase_pairs as {{ type_double() }}) as pairs_by_chance,
        {{ money(ratio('categories.margin_amount', 'categories.purchases')) }}
            as margin_per_purchase_amount
    from categories
    inner join customers on categories.cutoff = customers.cutoff
),

final as (
    select
        cutoff,
        category,
        cast(purchases as bigint) as category_purchase_count,
        cast(purchase_pairs as bigint) as category_purchase_pair_count,
        mean_rate,
        {{ gamma_poisson_shape('purchase_pairs', 'pairs_by_chance') }} as shape,
        margin_per_purchase_amount
    from counted
)

select * from final
