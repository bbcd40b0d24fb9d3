-- What each way of choosing three products would have been worth: chosen at the train
-- cutoff, from what was known then, and held against what the customers bought in the
-- window until the live cutoff. Hits are judged on those who bought anything; P is
-- judged on everyone known, since who buys nothing is foretold too.
with

customers as {{ inlined() }} (
    select
        customer_id,
        cutoff_date
    from {{ ref('int_product_customers') }}
    where cutoff = 'train'
),

recommended as (
    select
        customer_id,
        recommendation_method,
        product_id,
        category,
        product_probability_rate
    from {{ ref('int_products_recommended') }}
    where cutoff = 'train'
),

live as (
    select
        cutoff_date,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

bought as (
    select
        product_days.customer_id,
        product_days.product_id,
        product_days.category,
        sum(product_days.margin_amount) as margin_amount
    from {{ ref('int_product_days') }} as product_days
    inner join customers on product_days.customer_id = customers.customer_id
    cross join live
    where
        product_days.purchase_date > customers.cutoff_date
        and product_days.purchase_date <= live.cutoff_date
    group by product_days.customer_id, product_days.product_id, product_days.category
),

buyers as (
    select
        customer_id,
        count(*) as bought_count,
        sum(margin_amount) as margin_amount
    from bought
    group by customer_id
),

categories_bought as (
    select distinct
        customer_id,
        category
    from bought
),

-- recall is measured per customer: each counts alike, however much was bought
judged as (
    select
        recommended.recommendation_method,
        recommended.customer_id,
        buyers.bought_count,
        count(*) as recommended_count,
        count(bought.product_id) as hit_count,
        count(categories_bought.category) as category_hit_count,
        sum(bought.margin_amount) as hit_margin_amount,
        sum(cast(recommended.product_probability_rate as decimal(38, 12)))
            as expected_hits,
        count(recommended.product_probability_rate) as expected_count
    from recommended
    left join bought
        on
            recommended.customer_id = bought.customer_id
            and recommended.product_id = bought.product_id
    left join categories_bought
        on
            recommended.customer_id = categories_bought.customer_id
            and recommended.category = categories_bought.category
    left join buyers on recommended.customer_id = buyers.customer_id
    group by
        recommended.recommendation_method,
        recommended.customer_id,
        buyers.bought_count
),

counted as (
    select
        recommendation_method,
        sum(recommended_count) as recommended_count,
        sum(expected_count) as expected_count,
        sum(expected_hits) as expected_hits,
        sum(hit_count) as hit_count,
        sum(case when bought_count > 0 then recommended_count end)
            as buyer_recommended_count,
        count(case when hit_count > 0 then 1 end) as buyer_hit_count,
        count(case when category_hit_count > 0 then 1 end) as category_hit_count,
        sum(cast({{ ratio('hit_count', 'bought_count') }} as decimal(38, 12)))
            as recalls,
        coalesce(sum(hit_margin_amount), 0) as hit_margin_amount
    from judged
    group by recommendation_method
),

population as (
    select count(*) as customer_count
    from customers
),

all_buyers as (
    select
        count(*) as buyer_count,
        sum(margin_amount) as margin_amount
    from buyers
),

measured as (
    select
        counted.*,
        population.customer_count,
        all_buyers.buyer_count,
        all_buyers.margin_amount,
        {{ ratio('counted.buyer_hit_count', 'all_buyers.buyer_count') }}
            as hit_rate
    from counted
    cross join population
    cross join all_buyers
),

final as (
    select
        measured.recommendation_method,
        live.holdout_days,
        cast(measured.customer_count as bigint) as customer_count,
        cast(measured.buyer_count as bigint) as buyer_count,
        measured.hit_rate,
        sqrt({{ ratio(
            'measured.hit_rate * (1 - measured.hit_rate)', 'measured.buyer_count'
        ) }}) as hit_rate_standard_error,
        {{ ratio('measured.hit_count', 'measured.buyer_recommended_count') }}
            as precision_rate,
        {{ ratio('measured.recalls', 'measured.buyer_count') }} as recall_rate,
        {{ ratio('measured.category_hit_count', 'measured.buyer_count') }}
            as category_hit_rate,
        {{ money(ratio('measured.hit_margin_amount', 'measured.buyer_count')) }}
            as hit_margin_per_buyer_amount,
        {{ money(ratio('measured.margin_amount', 'measured.buyer_count')) }}
            as bought_margin_per_buyer_amount,
        {{ ratio('measured.expected_hits', 'measured.expected_count') }}
            as predicted_probability_rate,
        {{ ratio('measured.hit_count', 'measured.recommended_count') }}
            as bought_rate
    from measured
    cross join live
)

select * from final
