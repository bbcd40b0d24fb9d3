-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'customer_id', 'occurred_at', 'event_type',
] %}

with

raw_events as {{ inlined() }} (
    select
        customer_id,
        occurred_at,
        event_type
    from {{ source('shop', 'events') }}
),

{{ marked_rows(
    'raw_events',
    key=['customer_id', parsed_timestamp('occurred_at'), 'event_type']
) }},

future as (
    {{ first_future_dates('raw_events', 'occurred_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('customer_id'),
            reject_missing('occurred_at'),
            reject_bad_moment('occurred_at', '(select first_future_date from future)'),
            reject_missing('event_type'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        customer_id,
        {{ parsed_timestamp('occurred_at') }} as occurred_at,
        event_type,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['customer_id', 'occurred_at', 'event_type']) }}

select * from final
