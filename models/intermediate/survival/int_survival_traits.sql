-- What was known of a customer on the first day: of a buyer the first purchase, of a
-- contract customer the first contract. Nothing that shows only with time (how often
-- they bought, how satisfied they were): who stayed longer had more time to show it.
-- Amounts are as ordered, before refunds, which come later.
with

customers as {{ inlined() }} (
    select
        customer_id,
        first_purchase_date,
        acquisition_channel,
        coalesce(country, 'unknown') as country,
        relationship
    from {{ ref('dim_customers') }}
),

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

first_day_orders as (
    select
        customers.customer_id,
        coalesce(orders.sales_channel, 'unknown') as sales_channel,
        orders.order_amount,
        row_number() over (
            partition by customers.customer_id
            order by orders.ordered_at, orders.order_id
        ) as order_position
    from customers
    inner join {{ ref('fct_orders') }} as orders
        on
            customers.customer_id = orders.customer_id
            and customers.first_purchase_date = orders.order_date
    where orders.order_state = 'completed' and orders.order_amount > 0
),

first_purchases as (
    select
        customer_id,
        max(case when order_position = 1 then sales_channel end) as sales_channel,
        sum(order_amount) as first_purchase_amount
    from first_day_orders
    group by customer_id
),

contracts as (
    select
        subscriptions.customer_id,
        cast(subscriptions.started_at as date) as lifetime_start_date,
        subscriptions.monthly_amount,
        subscriptions.plan,
        subscriptions.term_months,
        subscriptions.payment_method,
        row_number() over (
            partition by subscriptions.customer_id
            order by subscriptions.started_at, subscriptions.subscription_id
        ) as contract_position
    from {{ ref('stg_shop__subscriptions') }} as subscriptions
    inner join live on cast(subscriptions.started_at as date) <= live.cutoff_date
),

started as (
    select
        customers.customer_id,
        'noncontractual' as relationship,
        customers.first_purchase_date as lifetime_start_date,
        customers.acquisition_channel,
        customers.country,
        coalesce(first_purchases.sales_channel, 'unknown') as sales_channel,
        'none' as plan,
        'none' as contract_term,
        'none' as payment_method,
        cast(coalesce(first_purchases.first_purchase_amount, 0) as {{ type_double() }})
            as first_purchase_amount,
        cast(0 as {{ type_double() }}) as monthly_amount
    from customers
    left join first_purchases on customers.customer_id = first_purchases.customer_id
    where customers.first_purchase_date is not null

    union all

    select
        customers.customer_id,
        customers.relationship,
        contracts.lifetime_start_date,
        customers.acquisition_channel,
        customers.country,
        'none' as sales_channel,
        coalesce(contracts.plan, 'unknown') as plan,
        coalesce(
            cast(contracts.term_months as {{ dbt.type_string() }}) || ' months',
            'unknown'
        ) as contract_term,
        coalesce(contracts.payment_method, 'unknown') as payment_method,
        cast(0 as {{ type_double() }}) as first_purchase_amount,
        cast(contracts.monthly_amount as {{ type_double() }}) as monthly_amount
    from contracts
    inner join customers on contracts.customer_id = customers.customer_id
    where contracts.contract_position = 1 and customers.relationship = 'contractual'
),

final as (
    select
        customer_id,
        relationship,
        lifetime_start_date,
        acquisition_channel,
        country,
        sales_channel,
        case extract(month from lifetime_start_date)
            {% for month in range(1, 13) -%}
            when {{ month }} then 'Q{{ (month + 2) // 3 }}'
            {% endfor -%}
        end as start_quarter,
        plan,
        contract_term,
        payment_method,
        first_purchase_amount,
        monthly_amount
    from started
)

select * from final
