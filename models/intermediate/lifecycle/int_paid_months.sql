-- A paid month of a contract counts like a purchase, on the day on which it begins: the
-- start of the contract, and each renewal. It is worth the fees of the contracts that
-- run on that day.
with

contracts as (
    select
        customer_id,
        started_date,
        renewal_count,
        coalesce(ended_date, cast('9999-12-31' as date)) as ended_date
    from {{ ref('int_contract_histories') }}
    where {{ relationship_of('true') }} = 'contractual'
),

subscriptions as (
    select
        customer_id,
        cast(started_at as date) as started_date,
        coalesce(cast(ended_at as date), cast('9999-12-31' as date)) as ended_date,
        monthly_amount
    from {{ ref('stg_shop__subscriptions') }}
),

months as (
    select
        contracts.customer_id,
        {{ add_months('contracts.started_date', 'counter.n') }} as paid_date,
        contracts.ended_date
    from contracts
    -- a hundred years
    inner join {{ numbers(1200) }} as counter on contracts.renewal_count >= counter.n
),

final as (
    select
        months.customer_id,
        months.paid_date,
        months.ended_date as contract_end_date,
        {{ money('coalesce(sum(subscriptions.monthly_amount), 0)') }}
            as fee_amount
    from months
    left join subscriptions
        on
            months.customer_id = subscriptions.customer_id
            and months.paid_date >= subscriptions.started_date
            and months.paid_date < subscriptions.ended_date
    group by months.customer_id, months.paid_date, months.ended_date
)

select * from final
