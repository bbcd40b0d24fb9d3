-- Which products are bought together: of the orders with the one, how many hold the
-- other, and how many times more that is than if the two had nothing to do with each
-- other (lift). Where baskets differ in size, large ones bring together what is not
-- related: then chance alone has a lift above 1. Only pairs in at least
-- `minimum_orders` orders (and one order in a hundred thousand) whose lift is surely
-- above both; of each product the ten that are surest to.
-- Baskets are completed orders that were not sent back in full, guests' too. Those of
-- more than `largest_basket` products (a wholesaler's) say little of what belongs
-- together and would make most of the pairs: they are left out, and counted.
{% set minimum_orders = 10 %}
{% set minimum_support = 0.00001 %}
{% set largest_basket = 100 %}
{% set partners = 10 %}

with

-- few orders are not completed, or were sent back in full
orders_without_revenue as (
    select order_id
    from {{ ref('fct_orders') }}
    where revenue_amount <= 0
),

items as (
    select
        order_id,
        product_id
    from {{ ref('fct_order_items') }}
    where quantity > 0 and line_amount > 0
),

order_products as (
    select distinct
        items.order_id,
        items.product_id
    from items
    left join orders_without_revenue
        on items.order_id = orders_without_revenue.order_id
    where orders_without_revenue.order_id is null
),

sizes as (
    select
        order_id,
        count(*) as product_count
    from order_products
    group by order_id
),

baskets as (
    select
        count(case when product_count <= {{ largest_basket }} then 1 end)
            as basket_count,
        count(case when product_count > {{ largest_basket }} then 1 end)
            as large_basket_count,
        {{ ratio(
            'count(case when product_count <= ' ~ largest_basket ~ ' then 1 end)'
            ~ ' * cast(sum(case when product_count <= ' ~ largest_basket
            ~ ' then product_count * (product_count - 1) end) as bigint)',
            'power(sum(case when product_count <= ' ~ largest_basket
            ~ ' then product_count end), 2)'
        ) }} as chance_lift,
        greatest(
            {{ minimum_orders }},
            {{ minimum_support }}
            * count(case when product_count <= {{ largest_basket }} then 1 end)
        ) as orders_needed
    from sizes
),

large_baskets as (
    select order_id
    from sizes
    where product_count > {{ largest_basket }}
),

-- who is too rare alone is too rare in every pair (Agrawal & Srikant 1994)
frequent_products as (
    select
        order_products.product_id,
        count(*) as order_count
    from order_products
    left join large_baskets on order_products.order_id = large_baskets.order_id
    where large_baskets.order_id is null
    group by order_products.product_id
    having count(*) >= (select baskets.orders_needed from baskets)
),

frequent_items as (
    select
        order_products.order_id,
        order_products.product_id
    from order_products
    inner join frequent_products
        on order_products.product_id = frequent_products.product_id
    inner join sizes on order_products.order_id = sizes.order_id
    where sizes.product_count between 2 and {{ largest_basket }}
),

pairs as (
    select
        items_one.product_id as product_id_one,
        items_two.product_id as product_id_two,
        count(*) as order_count
    from frequent_items as items_one
    inner join frequent_items as items_two
        on
            items_one.order_id = items_two.order_id
            and items_one.product_id < items_two.product_id
    group by items_one.product_id, items_two.product_id
    having count(*) >= (select baskets.orders_needed from baskets)
),

-- either is the other's partner
directed as (
    select
        product_id_one as product_id,
        product_id_two as partner_product_id,
        order_count
    from pairs

    union all

    select
        product_id_two as product_id,
        product_id_one as partner_product_id,
        order_count
    from pairs
),

measured as (
    select
        directed.product_id,
        directed.partner_product_id,
        baskets.basket_count,
        baskets.large_basket_count,
        baskets.chance_lift,
        products.order_count as product_order_count,
        partners.order_count as partner_order_count,
        directed.order_count as pair_order_count,
        {{ ratio('directed.order_count', 'baskets.basket_count') }} as support_rate,
        {{ ratio('directed.order_count', 'products.order_count') }}
            as confidence_rate,
        {{ ratio('directed.order_count', 'products.order_count') }}
        * {{ ratio('baskets.basket_count', 'partners.order_count') }} as lift
    from directed
    inner join frequent_products as products
        on directed.product_id = products.product_id
    inner join frequent_products as partners
        on directed.partner_product_id = partners.product_id
    cross join baskets
),

-- the logarithm of a count varies by about one over the count
bounded as (
    select
        measured.*,
        measured.lift
        * exp(-1.96 * sqrt({{ ratio(1, 'measured.pair_order_count') }}))
            as lift_lower
    from measured
),

ranked as (
    select
        bounded.*,
        row_number() over (
            partition by bounded.product_id
            order by
                bounded.lift_lower desc,
                bounded.pair_order_count desc,
                bounded.partner_product_id asc
        ) as partner_rank
    from bounded
    where bounded.lift_lower > greatest(1, bounded.chance_lift)
),

final as (
    select
        product_id,
        cast(partner_rank as bigint) as partner_rank,
        partner_product_id,
        cast(pair_order_count as bigint) as pair_order_count,
        cast(product_order_count as bigint) as product_order_count,
        cast(partner_order_count as bigint) as partner_order_count,
        support_rate,
        confidence_rate,
        lift,
        lift_lower,
        chance_lift,
        cast(basket_count as bigint) as basket_count,
        cast(large_basket_count as bigint) as large_basket_count
    from ranked
    where partner_rank <= {{ partners }}
)

select * from final
