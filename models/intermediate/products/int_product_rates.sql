-- How often a purchase in the category is one of the product, how much customers differ
-- in that (the shape is learned over all products of the category, by moments as in
-- int_category_rates), what one brings, and what customers do with it:
--   usual gap: mean days between two purchases of it by one customer; where there are
--     fewer than 30 gaps, that of the category or else of the shop.
--   bought again: not where buyers come back for it less than half as often as chance
--     would have it (by two standard errors): one such thing is enough.
--   sold: somebody bought it within the last holdout_days.
{% set gaps_needed = 30 %}

with

cutoffs as (
    select
        cutoff,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
),

categories as (
    select
        cutoff,
        category,
        category_purchase_count,
        category_purchase_pair_count
    from {{ ref('int_category_rates') }}
),

products as (
    select
        cutoff,
        product_id,
        category,
        sum(product_purchase_count) as purchases,
        sum(product_purchase_count * (product_purchase_count - 1)) as purchase_pairs,
        sum(product_purchase_count - 1) as gaps,
        sum(days_between_purchases) as gap_days,
        min(days_since_product_purchase) as days_since_sold,
        sum(margin_amount) as margin_amount
    from {{ ref('int_products_bought') }}
    group by cutoff, product_id, category
),

rated as (
    select
        products.*,
        {{ ratio('products.purchases', 'categories.category_purchase_count') }}
            as mean_rate,
        {{ ratio('products.purchases', 'categories.category_purchase_count') }}
        * {{ ratio('products.purchases', 'categories.category_purchase_count') }}
        * cast(categories.category_purchase_pair_count as {{ type_double() }})
            as pairs_by_chance,
        products.days_since_sold < cutoffs.holdout_days as is_sold
    from products
    inner join categories
        on
            products.cutoff = categories.cutoff
            and products.category = categories.category
    inner join cutoffs on products.cutoff = cutoffs.cutoff
),

pooled as (
    select
        rated.*,
        sum(rated.purchase_pairs) over (partition by rated.cutoff, rated.category)
            as category_pairs,
        cast(
            sum(cast(rated.pairs_by_chance as decimal(38, 12)))
                over (partition by rated.cutoff, rated.category)
            as {{ type_double() }}
        ) as category_pairs_by_chance,
        sum(rated.gaps) over (partition by rated.cutoff, rated.category)
            as category_gaps,
        sum(rated.gap_days) over (partition by rated.cutoff, rated.category)
            as category_gap_days,
        sum(rated.gaps) over (partition by rated.cutoff) as shop_gaps,
        {% for place, within, measure in [
            ('category_place', ', rated.category', 'purchases'),
            ('category_margin_place', ', rated.category', 'margin_amount'),
            ('place', '', 'purchases'),
            ('margin_place', '', 'margin_amount'),
        ] %}
        row_number() over (
            partition by rated.cutoff, rated.is_sold{{ within }}
            order by rated.{{ measure }} desc, rated.product_id asc
        ) as {{ place }},
        {% endfor %}
        sum(rated.gap_days) over (partition by rated.cutoff) as shop_gap_days
    from rated
),

final as (
    select
        cutoff,
        product_id,
        category,
        mean_rate,
        {{ gamma_poisson_shape('category_pairs', 'category_pairs_by_chance') }}
            as shape,
        {{ money(ratio('margin_amount', 'purchases')) }} as margin_per_purchase_amount,
        case
            when gaps >= {{ gaps_needed }} then {{ ratio('gap_days', 'gaps') }}
            when
                category_gaps >= {{ gaps_needed }}
                then {{ ratio('category_gap_days', 'category_gaps') }}
            else {{ ratio('shop_gap_days', 'shop_gaps') }}
        end as usual_gap_days,
        purchase_pairs + 2 * sqrt(pairs_by_chance) >= 0.5 * pairs_by_chance
            as is_bought_again,
        is_sold,
        cast(category_place as bigint) as category_popularity_rank,
        cast(category_margin_place as bigint) as category_margin_rank,
        cast(place as bigint) as popularity_rank,
        cast(margin_place as bigint) as margin_rank
    from pooled
)

select * from final
