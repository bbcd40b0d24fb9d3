-- What is to be won with someone who has not bought yet, by channel: a new customer,
-- with the first purchase and all that is expected to follow it.
with

newcomer_values as (
    select
        acquisition_channel,
        newcomer_value_amount
    from {{ ref('fct_channel_value') }}
),

first_purchases as (
    select
        acquisition_channel,
        {{ ratio('sum(first_purchase_revenue_amount)', 'sum(new_customer_count)') }}
            as revenue_per_purchase
    from {{ ref('int_customers_acquired') }}
    group by acquisition_channel
),

final as (
    select
        first_purchases.acquisition_channel,
        {{ money('first_purchases.revenue_per_purchase') }}
            as expected_purchase_revenue_amount,
        newcomer_values.newcomer_value_amount as purchase_stake_amount
    from first_purchases
    left join newcomer_values
        on first_purchases.acquisition_channel = newcomer_values.acquisition_channel
)

select * from final
