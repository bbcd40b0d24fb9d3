with

final as (
    select
        spend_date,
        channel,
        campaign,
        amount,
        impressions,
        clicks
    from {{ ref('base_shop__marketing_spend') }}
    where row_outcome = 'accepted'
)

select * from final
