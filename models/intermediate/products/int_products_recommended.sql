-- The three products that each method would recommend to each customer. Candidates are
-- what the customer bought before and is still sold, and what sells best in the three
-- categories bought most and in the shop: among the products of a category that a
-- customer never bought, the most bought of all is the likeliest.
-- P: the category's rate per purchase, and the product's per purchase of the category,
-- are the customer's own, drawn towards everyone's (gamma-Poisson); with the purchases
-- to expect they give the chance to buy at least once. R: margin of a purchase, the
-- customer's own mean with everyone's counting as three purchases. V = P x R.
-- `recommended` is V without what the customer needs only one of, or bought so lately
-- that nine in ten would not be back for it: gaps between purchases at random are
-- exponential, and a tenth of those are below -ln(0.9) of the mean. The other methods
-- are there to be judged against it, at the train cutoff.
{% set methods = {
    'favourites': ['product_purchase_count desc', 'popularity_rank asc'],
    'probability': ['probability desc', 'rate desc'],
    'expected_margin': ['expected_margin desc', 'rate_margin desc'],
    'recommended': ['expected_margin desc', 'rate_margin desc'],
} %}

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

products as (
    select
        cutoff,
        product_id,
        category,
        mean_rate,
        shape,
        margin_per_purchase_amount,
        usual_gap_days,
        is_bought_again,
        popularity_rank,
        margin_rank,
        category_popularity_rank <= 3 or category_margin_rank <= 3
            as is_popular_in_category,
        popularity_rank <= 3 or margin_rank <= 3 as is_popular
    from {{ ref('int_product_rates') }}
    where is_sold
),

categories_bought as (
    select
        cutoff,
        customer_id,
        category,
        category_purchase_count
    from {{ ref('int_categories_bought') }}
),

products_bought as (
    select
        cutoff,
        customer_id,
        product_id,
        product_purchase_count,
        days_since_product_purchase,
        margin_amount
    from {{ ref('int_products_bought') }}
),

main_categories as (
    select
        categories_bought.cutoff,
        categories_bought.customer_id,
        categories_bought.category,
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
),

found as (
    select
        cutoff,
        customer_id,
        product_id,
        product_purchase_count,
        days_since_product_purchase,
        margin_amount
    from products_bought

    union all

    select
        main_categories.cutoff,
        main_categories.customer_id,
        products.product_id,
        0 as product_purchase_count,
        null as days_since_product_purchase,
        0 as margin_amount
    from main_categories
    inner join products
        on
            main_categories.cutoff = products.cutoff
            and main_categories.category = products.category
    where main_categories.category_rank <= 3 and products.is_popular_in_category

    union all

    select
        customers.cutoff,
        customers.customer_id,
        products.product_id,
        0 as product_purchase_count,
        null as days_since_product_purchase,
        0 as margin_amount
    from customers
    inner join products on customers.cutoff = products.cutoff
    where products.is_popular
),

candidates as (
    select
        cutoff,
        customer_id,
        product_id,
        max(product_purchase_count) as product_purchase_count,
        max(days_since_product_purchase) as days_since_product_purchase,
        sum(margin_amount) as margin_amount
    from found
    group by cutoff, customer_id, product_id
),

described as (
    select
        candidates.cutoff,
        candidates.customer_id,
        candidates.product_id,
        products.category,
        candidates.product_purchase_count,
        candidates.days_since_product_purchase,
        coalesce(categories_bought.category_purchase_count, 0)
            as category_purchase_count,
        products.popularity_rank,
        products.margin_rank,
        products.mean_rate,
        products.shape,
        {{ gamma_poisson_rate(
            'categories.shape', 'categories.mean_rate',
            'coalesce(categories_bought.category_purchase_count, 0)',
            'customers.item_purchase_count'
        ) }} as category_rate,
        customers.next_purchases,
        {{ ratio(
            'candidates.margin_amount + 3 * products.margin_per_purchase_amount',
            'candidates.product_purchase_count + 3'
        ) }} as margin_if_bought,
        candidates.product_purchase_count = 0
        or (
            candidates.days_since_product_purchase
            >= -ln(0.9) * coalesce(products.usual_gap_days, 0)
            and products.is_bought_again
        ) as is_due
    from candidates
    inner join products
        on
            candidates.cutoff = products.cutoff
            and candidates.product_id = products.product_id
    inner join categories
        on
            products.cutoff = categories.cutoff
            and products.category = categories.category
    inner join customers
        on
            candidates.cutoff = customers.cutoff
            and candidates.customer_id = customers.customer_id
    left join categories_bought
        on
            candidates.cutoff = categories_bought.cutoff
            and candidates.customer_id = categories_bought.customer_id
            and products.category = categories_bought.category
),

-- where no process was learned, the next purchase decides the order
rated as (
    select
        described.*,
        described.category_rate * {{ gamma_poisson_rate(
            'described.shape', 'described.mean_rate',
            'described.product_purchase_count', 'described.category_purchase_count'
        ) }} as rate,
        {{ gamma_poisson_probability(
            'described.shape', 'described.mean_rate',
            'described.product_purchase_count', 'described.category_purchase_count',
            'coalesce(described.next_purchases, 1) * described.category_rate'
        ) }} as probability
    from described
),

scored as (
    select
        cutoff,
        customer_id,
        product_id,
        category,
        product_purchase_count,
        category_purchase_count,
        days_since_product_purchase,
        popularity_rank,
        margin_rank,
        rate,
        probability,
        margin_if_bought,
        rate * margin_if_bought as rate_margin,
        probability * margin_if_bought as expected_margin,
        next_purchases is not null as is_expected,
        is_due
    from rated
),

ranked as (
    {% for method, order in methods.items() %}
    select
        cutoff,
        customer_id,
        product_id,
        category,
        product_purchase_count,
        category_purchase_count,
        days_since_product_purchase,
        case when is_expected then probability end as probability,
        margin_if_bought,
        case when is_expected then expected_margin end as expected_margin,
        row_number() over (
            partition by cutoff, customer_id
            order by {{ order[0] }}, {{ order[1] }}, product_id asc
        ) as product_rank,
        '{{ method }}' as recommendation_method
    from scored
    where {% if method == 'recommended' %}is_due{% else %}cutoff = 'train'{% endif %}

    union all

    {% endfor %}
    -- the same three for everybody, who all have them among their candidates
    {% for name, place in [
        ('best_sellers', 'popularity_rank'), ('best_sellers_by_margin', 'margin_rank')
    ] %}
    select
        cutoff,
        customer_id,
        product_id,
        category,
        product_purchase_count,
        category_purchase_count,
        days_since_product_purchase,
        null as probability,
        null as margin_if_bought,
        null as expected_margin,
        {{ place }} as product_rank,
        '{{ name }}' as recommendation_method
    from scored
    where cutoff = 'train'
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        cutoff,
        customer_id,
        recommendation_method,
        cast(product_rank as bigint) as product_rank,
        product_id,
        category,
        product_purchase_count,
        category_purchase_count,
        days_since_product_purchase,
        probability as product_probability_rate,
        {{ money('margin_if_bought') }} as margin_if_bought_amount,
        {{ money('expected_margin') }} as expected_product_margin_amount
    from ranked
    where product_rank <= 3
)

select * from final
