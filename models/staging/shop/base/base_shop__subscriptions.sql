-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'subscription_id', 'customer_id', 'started_at', 'ended_at',
    'monthly_amount', 'plan', 'term_months', 'payment_method',
] %}

with

raw_subscriptions as {{ inlined() }} (
    select
        subscription_id,
        customer_id,
        started_at,
        ended_at,
        monthly_amount,
        plan,
        term_months,
        payment_method
    from {{ source('shop', 'subscriptions') }}
),

{{ marked_rows('raw_subscriptions', key=['subscription_id']) }},

future as (
    {{ first_future_dates('raw_subscriptions', 'started_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('subscription_id'),
            reject_missing('customer_id'),
            reject_missing('started_at'),
            reject_bad_moment('started_at', '(select first_future_date from future)'),
            reject_bad_date('ended_at'),
            reject_missing('monthly_amount'),
            reject_bad_number('monthly_amount'),
            reject_bad_integer('term_months'),
            reject_if(
                parsed_integer('term_months') ~ ' < 1', 'term_months', 'out_of_range'
            ),
            reject_if(
            parsed_timestamp('ended_at') ~ ' < ' ~ parsed_timestamp('started_at'),
            'ended_at', 'before_started_at'
        ),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        subscription_id,
        customer_id,
        {{ parsed_timestamp('started_at') }} as started_at,
        {{ parsed_timestamp('ended_at') }} as ended_at,
        {{ parsed_money('monthly_amount') }} as monthly_amount,
        plan,
        {{ parsed_integer('term_months') }} as term_months,
        payment_method,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['subscription_id']) }}

select * from final
