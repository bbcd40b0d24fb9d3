with

final as (
    select
        touchpoint_id,
        customer_id,
        touched_at,
        channel,
        campaign,
        touch_type
    from {{ ref('base_shop__touchpoints') }}
    where row_outcome = 'accepted'
)

select * from final
