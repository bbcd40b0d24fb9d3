-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'touchpoint_id', 'customer_id', 'touched_at', 'channel', 'campaign',
    'touch_type',
] %}

with

raw_touchpoints as (
    select
        touchpoint_id,
        customer_id,
        touched_at,
        channel,
        campaign,
        touch_type
    from {{ source('shop', 'touchpoints') }}
),

future as (
    {{ first_future_dates('raw_touchpoints', 'touched_at') }}
),

typed as (
    select
        touchpoint_id,
        customer_id,
        {{ parsed_timestamp('touched_at') }} as touched_at,
        channel,
        campaign,
        touch_type,
        {{ rejection_reasons([
            reject_missing('touchpoint_id'),
            reject_missing('customer_id'),
            reject_missing('touched_at'),
            reject_bad_moment('touched_at', '(select first_future_date from future)'),
            reject_missing('channel'),
        ]) }} as rejection_reasons,
        {{ row_content(columns) }} as row_content
    from raw_touchpoints
),

{{ settled_rows('typed', columns, key=['touchpoint_id']) }}

select * from final
