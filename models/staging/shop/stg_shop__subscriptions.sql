with

final as (
    select
        subscription_id,
        customer_id,
        started_at,
        ended_at,
        monthly_amount,
        plan,
        term_months,
        payment_method
    from {{ ref('base_shop__subscriptions') }}
    where row_outcome = 'accepted'
)

select * from final
