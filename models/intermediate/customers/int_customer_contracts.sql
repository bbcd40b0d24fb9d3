-- What was known of each contract customer's running contracts on the evening of each
-- cutoff. Plan, term and way of paying are those of the contract that started last. A
-- contract that ends after a cutoff still runs then.
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

subscriptions as (
    select
        subscription_id,
        customer_id,
        cast(started_at as date) as started_date,
        cast(ended_at as date) as ended_date,
        monthly_amount,
        plan,
        term_months,
        payment_method
    from {{ ref('stg_shop__subscriptions') }}
),

known as (
    select
        cutoffs.cutoff,
        cutoffs.cutoff_date,
        subscriptions.*,
        coalesce(subscriptions.ended_date > cutoffs.cutoff_date, true) as is_running
    from subscriptions
    inner join cutoffs on subscriptions.started_date <= cutoffs.cutoff_date
),

numbered as (
    select
        known.*,
        row_number() over (
            partition by known.cutoff, known.customer_id
            order by
                case when known.is_running then 0 else 1 end,
                known.started_date desc,
                known.subscription_id desc
        ) as contract_rank
    from known
),

summed as (
    select
        cutoff,
        customer_id,
        {{ days_between('min(started_date)', 'max(cutoff_date)') }}
            as contract_age_days,
        {{ days_between(
            'min(case when is_running then started_date end)', 'max(cutoff_date)'
        ) }} as contract_days,
        sum(case when is_running then monthly_amount end) as monthly_amount,
        max(case when contract_rank = 1 and is_running then plan end) as plan,
        max(case when contract_rank = 1 and is_running then term_months end)
            as term_months,
        max(case when contract_rank = 1 and is_running then payment_method end)
            as payment_method,
        max(case when is_running then 1 else 0 end) = 1 as has_running_contract
    from numbered
    group by cutoff, customer_id
),

final as (
    select
        cutoff,
        customer_id,
        case when has_running_contract then coalesce(plan, 'unknown') end as plan,
        case when has_running_contract then coalesce(payment_method, 'unknown') end
            as payment_method,
        contract_age_days,
        contract_days,
        {{ money('monthly_amount') }} as monthly_amount,
        term_months,
        has_running_contract
    from summed
)

select * from final
