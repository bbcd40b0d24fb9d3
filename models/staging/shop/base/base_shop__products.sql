-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'product_id', 'product_name', 'category', 'unit_cost',
] %}

with

raw_products as {{ inlined() }} (
    select
        product_id,
        product_name,
        category,
        unit_cost
    from {{ source('shop', 'products') }}
),

{{ marked_rows('raw_products', key=['product_id']) }},

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('product_id'),
            reject_bad_number('unit_cost'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        product_id,
        product_name,
        category,
        {{ parsed_money('unit_cost') }} as unit_cost,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['product_id']) }}

select * from final
