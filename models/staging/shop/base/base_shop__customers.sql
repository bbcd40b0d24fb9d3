-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'customer_id', 'created_at', 'name', 'email', 'phone', 'country',
    'region', 'city', 'birth_date', 'gender', 'income_band', 'lifestyle',
    'interests', 'acquisition_channel', 'acquisition_campaign',
    'has_marketing_consent',
] %}

with

raw_customers as {{ inlined() }} (
    select
        customer_id,
        created_at,
        name,
        email,
        phone,
        country,
        region,
        city,
        birth_date,
        gender,
        income_band,
        lifestyle,
        interests,
        acquisition_channel,
        acquisition_campaign,
        has_marketing_consent
    from {{ source('shop', 'customers') }}
),

{{ marked_rows('raw_customers', key=['customer_id']) }},

future as (
    {{ first_future_dates('raw_customers', 'created_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('customer_id'),
            reject_bad_moment('created_at', '(select first_future_date from future)'),
            reject_bad_date('birth_date'),
            reject_bad_boolean('has_marketing_consent'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        customer_id,
        {{ parsed_timestamp('created_at') }} as created_at,
        name,
        email,
        phone,
        country,
        region,
        city,
        {{ parsed_date('birth_date') }} as birth_date,
        gender,
        income_band,
        lifestyle,
        interests,
        acquisition_channel,
        acquisition_campaign,
        {{ parsed_boolean('has_marketing_consent') }} as has_marketing_consent,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['customer_id']) }}

select * from final
