with

final as (
    select
        customer_id,
        responded_at,
        score
    from {{ ref('base_shop__surveys') }}
    where row_outcome = 'accepted'
)

select * from final
