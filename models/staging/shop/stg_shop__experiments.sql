with

final as (
    select
        experiment_id,
        customer_id,
        arm,
        assigned_at,
        cost_amount
    from {{ ref('base_shop__experiments') }}
    where row_outcome = 'accepted'
)

select * from final
