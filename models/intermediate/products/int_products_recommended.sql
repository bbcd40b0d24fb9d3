-- The three products that each method would recommend to each customer. Candidates are
-- what the customer bought before and is still sold, and what sells best in the three
-- categories bought most and in the shop: among the products of a category that a
-- customer never bought, those that bring most margin in all are the most valuable, and
-- those that are bought most the likeliest (which only the train cutoff's methods
-- need). P: the category's rate per purchase, and the product's per purchase of the
-- category, are the customer's own, drawn towards everyone's (gamma-Poisson); with the
-- purchases to expect they give the chance to buy at least once. R: margin of a
-- purchase, the customer's own mean with everyone's counting as three purchases. V is
-- P x R. `recommended` is V without what the customer needs only one of, or bought so
-- lately that nine in ten would not be back for it: gaps between purchases at random
-- are exponential, and a tenth of those are below -ln(0.9) of the mean. The other
-- methods are there to be judged against it, at the train cutoff.
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
        category_margin_rank <= 3 as is_valuable,
        category_margin_rank <= 3
        or (cutoff = 'train' and category_popularity_rank <= 3)
            as is_popular_in_category,
        margin_rank <= 3 or (cutoff = 'train' and popularity_rank <= 3) as is_popular
    from {{ ref('int_product_rates') }}
    where is_sold
),

interests as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        category,
        category_purchase_count,
        category_rate,
        next_purchases,
        category_rank
    from {{ ref('int_category_interests') }}
),

products_bought as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        product_id,
        category,
        product_purchase_count,
        days_since_product_purchase,
        margin_amount
    from {{ ref('int_products_bought') }}
),

-- a best seller of the shop is one of its category too: it is a candidate once
popular as {{ inlined() }} (
    select
        interests.cutoff,
        interests.customer_id,
        products.product_id,
        interests.category_purchase_count,
        interests.category_rate,
        interests.next_purchases
    from interests
    inner join products
        on
            interests.cutoff = products.cutoff
            and interests.category = products.category
    where interests.category_rank <= 3 and products.is_popular_in_category

    union all

    select
        customers.cutoff,
        customers.customer_id,
        products.product_id,
        coalesce(interests.category_purchase_count, 0) as category_purchase_count,
        coalesce(
            interests.category_rate,
            {{ gamma_poisson_rate(
                'categories.shape', 'categories.mean_rate', '0',
                'customers.item_purchase_count'
            ) }}
        ) as category_rate,
        customers.next_purchases
    from customers
    inner join products on customers.cutoff = products.cutoff
    inner join categories
        on
            products.cutoff = categories.cutoff
            and products.category = categories.category
    left join interests
        on
            customers.cutoff = interests.cutoff
            and customers.customer_id = interests.customer_id
            and products.category = interests.category
    where products.is_popular and coalesce(interests.category_rank > 3, true)
),

candidates as {{ inlined() }} (
    select
        products_bought.cutoff,
        products_bought.customer_id,
        products_bought.product_id,
        products_bought.product_purchase_count,
        products_bought.days_since_product_purchase,
        products_bought.margin_amount,
        interests.category_purchase_count,
        interests.category_rate,
        interests.next_purchases
    from products_bought
    inner join interests
        on
            products_bought.cutoff = interests.cutoff
            and products_bought.customer_id = interests.customer_id
            and products_bought.category = interests.category

    union all

    select
        popular.cutoff,
        popular.customer_id,
        popular.product_id,
        0 as product_purchase_count,
        null as days_since_product_purchase,
        0 as margin_amount,
        popular.category_purchase_count,
        popular.category_rate,
        popular.next_purchases
    from popular
    left join products_bought
        on
            popular.cutoff = products_bought.cutoff
            and popular.customer_id = products_bought.customer_id
            and popular.product_id = products_bought.product_id
    where products_bought.product_id is null
),

described as {{ inlined() }} (
    select
        candidates.cutoff,
        candidates.customer_id,
        candidates.product_id,
        products.category,
        candidates.product_purchase_count,
        candidates.days_since_product_purchase,
        candidates.category_purchase_count,
        products.popularity_rank,
        products.margin_rank,
        products.mean_rate,
        products.shape,
        candidates.category_rate,
        candidates.next_purchases,
        {{ ratio(
            'candidates.margin_amount + 3 * products.margin_per_purchase_amount',
            'candidates.product_purchase_count + 3'
        ) }} as margin_if_bought,
        case
            when candidates.product_purchase_count = 0 then products.is_valuable
            else
                candidates.days_since_product_purchase
                >= -ln(0.9) * coalesce(products.usual_gap_days, 0)
                and products.is_bought_again
        end as is_due
    from candidates
    inner join products
        on
            candidates.cutoff = products.cutoff
            and candidates.product_id = products.product_id
),

-- where no process was learned, the next purchase decides the order
rated as {{ inlined() }} (
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

scored as {{ inlined() }} (
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

-- few customers, but many methods
judged as (
    select scored.*
    from scored
    where scored.cutoff = 'train'
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
    from judged
    {% if method == 'recommended' %}where is_due{% endif %}

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
    from judged

    union all

    {% endfor %}
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
            partition by customer_id
            order by expected_margin desc, rate_margin desc, product_id asc
        ) as product_rank,
        'recommended' as recommendation_method
    from scored
    where cutoff = 'live' and is_due
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
