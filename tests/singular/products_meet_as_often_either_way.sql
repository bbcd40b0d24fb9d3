-- Where both partners name each other, their numbers agree.
with

pairs as (
    select
        product_id,
        partner_product_id,
        pair_order_count,
        lift
    from {{ ref('fct_product_affinity') }}
),

final as (
    select
        pairs.product_id,
        pairs.partner_product_id
    from pairs
    inner join pairs as reversed
        on
            pairs.product_id = reversed.partner_product_id
            and pairs.partner_product_id = reversed.product_id
    where
        pairs.pair_order_count != reversed.pair_order_count
        or abs(pairs.lift - reversed.lift) > 1e-9 * pairs.lift
)

select * from final
