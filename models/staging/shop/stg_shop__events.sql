with

final as (
    select
        customer_id,
        occurred_at,
        event_type
    from {{ ref('base_shop__events') }}
    where row_outcome = 'accepted'
)

select * from final
