-- What is to be won with a customer. If the customer buys once more: the margin that
-- one purchase is expected to bring; of someone who never bought: what a new customer
-- of the channel is worth, the first purchase included. If the customer stays: what is
-- expected of one still there, which is the residual value without the doubt whether
-- they have left (E = P(alive) x E given alive).
-- Beside it how likely the customer buys without being asked, since such an offer is
-- taken by those, too: at least one purchase, if purchases come as in a Poisson process
-- with the expected number.
{% set window_days = setting_number(
    'experiment_window_days', minimum=1, whole=true
) | int %}

with

customers as (
    select
        customer_id,
        acquisition_channel,
        has_marketing_consent
    from {{ ref('dim_customers') }}
),

customer_values as (
    select
        customer_id,
        p_alive_rate,
        expected_purchases_3_months,
        residual_value_amount
    from {{ ref('fct_customer_value') }}
),

residuals as (
    select
        customer_id,
        expected_spend,
        margin_share
    from {{ ref('int_customer_residuals') }}
),

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
            as revenue_amount
    from {{ ref('int_customers_acquired') }}
    group by acquisition_channel
),

in_experiments as (
    select customer_id
    from {{ ref('int_customers_in_experiments') }}
),

final as (
    select
        customers.customer_id,
        {{ money(
            'coalesce(residuals.expected_spend, first_purchases.revenue_amount)'
        ) }} as purchase_revenue_amount,
        case
            when customer_values.customer_id is null
                then newcomer_values.newcomer_value_amount
            else {{ money('residuals.expected_spend * residuals.margin_share') }}
        end as purchase_stake_amount,
        {{ money(ratio(
            'customer_values.residual_value_amount', 'customer_values.p_alive_rate'
        )) }} as retention_stake_amount,
        coalesce(
            1 - exp(
                -customer_values.expected_purchases_3_months
                * {{ window_days / (365.25 / 4) }}
            ),
            0
        ) as purchase_probability_rate,
        customers.has_marketing_consent,
        in_experiments.customer_id is not null as is_in_experiment
    from customers
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join residuals on customers.customer_id = residuals.customer_id
    left join newcomer_values
        on customers.acquisition_channel = newcomer_values.acquisition_channel
    left join first_purchases
        on customers.acquisition_channel = first_purchases.acquisition_channel
    left join in_experiments on customers.customer_id = in_experiments.customer_id
)

select * from final
