-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'spend_date', 'channel', 'campaign', 'amount', 'impressions', 'clicks',
] %}

with

raw_marketing_spend as {{ inlined() }} (
    select
        spend_date,
        channel,
        campaign,
        amount,
        impressions,
        clicks
    from {{ source('shop', 'marketing_spend') }}
),

{{ marked_rows(
    'raw_marketing_spend',
    key=[parsed_date('spend_date'), 'channel', 'campaign']
) }},

future as (
    {{ first_future_dates('raw_marketing_spend', 'spend_date') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('spend_date'),
            reject_bad_moment('spend_date', '(select first_future_date from future)'),
            reject_missing('channel'),
            reject_missing('amount'),
            reject_bad_number('amount'),
            reject_bad_number('impressions'),
            reject_bad_number('clicks'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        {{ parsed_date('spend_date') }} as spend_date,
        channel,
        campaign,
        {{ parsed_money('amount') }} as amount,
        {{ parsed_money('impressions') }} as impressions,
        {{ parsed_money('clicks') }} as clicks,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['spend_date', 'channel', 'campaign']) }}

select * from final
