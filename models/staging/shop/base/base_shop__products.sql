-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'product_id', 'product_name', 'category', 'unit_cost',
] %}

with

raw_products as (
    select
        product_id,
        product_name,
        category,
        unit_cost
    from {{ source('shop', 'products') }}
),

typed as (
    select
        product_id,
        product_name,
        category,
        {{ parsed_money('unit_cost') }} as unit_cost,
        {{ rejection_reasons([
            reject_missing('product_id'),
            reject_bad_number('unit_cost'),
        ]) }} as rejection_reasons,
        {{ row_content(columns) }} as row_content
    from raw_products
),

{{ settled_rows('typed', columns, key=['product_id']) }}

select * from final
