-- What is to be won with a customer. If the customer buys once more: the margin that
-- one purchase is expected to bring; of someone who never bought: what a new customer
-- of the channel is worth, the first purchase included. If the customer stays: what is
-- expected of one still there, which is the residual value without the doubt whether
-- they have left (E = P(alive) x E given alive).
-- Beside it how likely the customer buys without being asked, since such an offer is
-- taken by those, too: at least one purchase, if purchases come as in a Poisson process
-- with the expected number; of someone who never bought, as many as did in the window
-- after the train cutoff.
{% set window_days = setting_number(
    'experiment_window_days', minimum=1, whole=true
) | int %}

with

customers as {{ inlined() }} (
    select
        customer_id,
        acquisition_channel,
        acquired_date,
        first_purchase_date,
        has_marketing_consent
    from {{ ref('dim_customers') }}
),

train as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'train'
),

-- of those who had not bought by the train cutoff, how many did so soon
first_purchase_rate as (
    select
        {{ ratio(
            'count(case when ' ~ days_between('train.cutoff_date', 'first_purchase_date')
            ~ ' <= ' ~ window_days ~ ' then 1 end)', 'count(*)'
        ) }} as unasked_purchase_rate
    from customers
    cross join train
    where
        customers.acquired_date <= train.cutoff_date
        and coalesce(customers.first_purchase_date > train.cutoff_date, true)
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

newcomers as (
    select
        acquisition_channel,
        expected_purchase_revenue_amount,
        purchase_stake_amount
    from {{ ref('int_newcomer_stakes') }}
),

final as (
    select
        customers.customer_id,
        case
            when customer_values.customer_id is null
                then newcomers.expected_purchase_revenue_amount
            else {{ money('residuals.expected_spend') }}
        end as expected_purchase_revenue_amount,
        case
            when customer_values.customer_id is null
                then newcomers.purchase_stake_amount
            else {{ money('residuals.expected_spend * residuals.margin_share') }}
        end as purchase_stake_amount,
        {{ money(ratio(
            'customer_values.residual_value_amount', 'customer_values.p_alive_rate'
        )) }} as retention_stake_amount,
        case
            when customer_values.customer_id is null
                then first_purchase_rate.unasked_purchase_rate
            else
                1 - exp(
                    -customer_values.expected_purchases_3_months
                    * {{ window_days / (365.25 / 4) }}
                )
        end as unasked_purchase_rate,
        customers.has_marketing_consent
    from customers
    cross join first_purchase_rate
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join residuals on customers.customer_id = residuals.customer_id
    left join newcomers
        on customers.acquisition_channel = newcomers.acquisition_channel
)

select * from final
