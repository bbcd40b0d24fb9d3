-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'order_id', 'line_number', 'product_id', 'quantity', 'unit_price',
    'unit_cost',
] %}

with

raw_order_items as {{ inlined() }} (
    select
        order_id,
        line_number,
        product_id,
        quantity,
        unit_price,
        unit_cost
    from {{ source('shop', 'order_items') }}
),

{{ marked_rows('raw_order_items', key=['order_id', parsed_integer('line_number')]) }},

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('order_id'),
            reject_missing('line_number'),
            reject_bad_integer('line_number'),
            reject_missing('product_id'),
            reject_missing('quantity'),
            reject_bad_number('quantity'),
            reject_missing('unit_price'),
            reject_bad_number('unit_price'),
            reject_bad_number('unit_cost'),
            reject_if(
                'abs(' ~ product([parsed_money('quantity'), parsed_money('unit_price')])
                ~ ') >= 1e10',
                'quantity, unit_price', 'out_of_range'
            ),
            reject_if(
                'abs(' ~ product([parsed_money('quantity'), parsed_money('unit_cost')])
                ~ ') >= 1e10',
                'quantity, unit_cost', 'out_of_range'
            ),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        order_id,
        {{ parsed_integer('line_number') }} as line_number,
        product_id,
        {{ parsed_money('quantity') }} as quantity,
        {{ parsed_money('unit_price') }} as unit_price,
        {{ parsed_money('unit_cost') }} as unit_cost,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['order_id', 'line_number']) }}

select * from final
