-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'touchpoint_id', 'customer_id', 'touched_at', 'channel', 'campaign',
    'touch_type',
] %}

with

raw_touchpoints as {{ inlined() }} (
    select
        touchpoint_id,
        customer_id,
        touched_at,
        channel,
        campaign,
        touch_type
    from {{ source('shop', 'touchpoints') }}
),

{{ marked_rows('raw_touchpoints', key=['touchpoint_id']) }},

future as (
    {{ first_future_dates('raw_touchpoints', 'touched_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('touchpoint_id'),
            reject_missing('customer_id'),
            reject_missing('touched_at'),
            reject_bad_moment('touched_at', '(select first_future_date from future)'),
            reject_missing('channel'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        touchpoint_id,
        customer_id,
        {{ parsed_timestamp('touched_at') }} as touched_at,
        channel,
        campaign,
        touch_type,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['touchpoint_id']) }}

select * from final
