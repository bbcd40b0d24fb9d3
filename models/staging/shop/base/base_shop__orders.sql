-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'order_id', 'customer_id', 'ordered_at', 'amount', 'status',
    'discount_amount', 'refund_amount', 'cost_amount', 'currency',
    'sales_channel', 'updated_at',
] %}

with

raw_orders as {{ inlined() }} (
    select
        order_id,
        customer_id,
        ordered_at,
        amount,
        status,
        discount_amount,
        refund_amount,
        cost_amount,
        currency,
        sales_channel,
        updated_at
    from {{ source('shop', 'orders') }}
),

{{ marked_rows('raw_orders', key=['order_id']) }},

exchange_rates as (
    select
        currency,
        rate_month,
        rate
    from {{ ref('exchange_rates') }}
    where reporting_currency = '{{ setting_currency("reporting_currency") }}'
),

future as (
    -- orders set the clock: a stricter rule than for the other inputs
    {{ first_future_dates('raw_orders', 'ordered_at', silence_years=3) }}
),

converted as {{ inlined() }} (
    select
        marked.*,
        case
            when
                marked.currency is null
                or upper(marked.currency)
                = '{{ setting_currency("reporting_currency") }}'
                then 1
            else exchange_rates.rate
        end as exchange_rate
    from marked
    left join exchange_rates
        on
            upper(marked.currency) = exchange_rates.currency
            and {{ month_start(parsed_timestamp('marked.ordered_at')) }}
            = exchange_rates.rate_month
),

judged as {{ inlined() }} (
    select
        converted.*,
        {{ rejection_reasons([
            reject_missing('order_id'),
            reject_missing('ordered_at'),
            reject_bad_moment('ordered_at', '(select first_future_date from future)'),
            reject_missing('amount'),
            reject_bad_number('amount'),
            reject_bad_number('discount_amount'),
            reject_bad_number('refund_amount'),
            reject_bad_number('cost_amount'),
            reject_bad_date('updated_at'),
            reject_if('exchange_rate is null', 'currency', 'no_exchange_rate'),
            reject_if(
                'abs(' ~ product([parsed_money('amount'), 'exchange_rate']) ~ ') >= 1e10',
                'amount, currency', 'out_of_range'
            ),
        ]) }} as rejection_reasons
    from converted
),

typed as {{ inlined() }} (
    select
        order_id,
        customer_id,
        {{ parsed_timestamp('ordered_at') }} as ordered_at,
        {{ parsed_money('amount') }} as amount,
        lower(status) as status,
        {{ parsed_money('discount_amount') }} as discount_amount,
        {{ parsed_money('refund_amount') }} as refund_amount,
        {{ parsed_money('cost_amount') }} as cost_amount,
        upper(currency) as currency,
        sales_channel,
        {{ parsed_timestamp('updated_at') }} as updated_at,
        exchange_rate,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows(
    'typed', columns + ['exchange_rate'], key=['order_id'], latest_by='updated_at'
) }}

select * from final
