-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'customer_id', 'responded_at', 'score',
] %}

with

raw_surveys as {{ inlined() }} (
    select
        customer_id,
        responded_at,
        score
    from {{ source('shop', 'surveys') }}
),

{{ marked_rows('raw_surveys', key=['customer_id', parsed_timestamp('responded_at')]) }},

future as (
    {{ first_future_dates('raw_surveys', 'responded_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('customer_id'),
            reject_missing('responded_at'),
            reject_bad_moment('responded_at', '(select first_future_date from future)'),
            reject_missing('score'),
            reject_bad_integer('score'),
            reject_if(
            parsed_integer('score') ~ ' not between 0 and 10', 'score', 'out_of_range'
        ),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        customer_id,
        {{ parsed_timestamp('responded_at') }} as responded_at,
        {{ parsed_integer('score') }} as score,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['customer_id', 'responded_at']) }}

select * from final
