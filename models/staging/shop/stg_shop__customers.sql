with

final as (
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
    from {{ ref('base_shop__customers') }}
    where row_outcome = 'accepted'
)

select * from final
