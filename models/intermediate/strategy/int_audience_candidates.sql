-- What the choice of an audience starts from: whether a customer may be contacted at
-- all, and the most that any strategy promises.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        customer_id,
        has_marketing_consent
    from {{ ref('dim_customers') }}
),

targets as (
    select
        customer_id,
        max(expected_profit_amount) as best_expected_profit_amount,
        count(case when is_in_experiment then 1 end) > 0 as is_in_experiment
    from {{ ref('int_strategy_targets') }}
    group by customer_id
),

final as (
    select
        customers.customer_id,
        live.cutoff_date as audience_date,
        targets.best_expected_profit_amount,
        customers.has_marketing_consent,
        targets.customer_id is not null as has_strategy,
        coalesce(targets.is_in_experiment, false) as is_in_experiment
    from customers
    cross join live
    left join targets on customers.customer_id = targets.customer_id
)

select * from final
