-- What the contract process learns from: how many contracts ended at each renewal, and
-- how many have come that far and still run. Nothing else counts for the likelihood.
with

histories as (
    select
        renewal_count,
        is_ended
    from {{ ref('int_contract_histories') }}
),

final as (
    select
        renewal_count,
        is_ended,
        count(*) as contract_count
    from histories
    group by renewal_count, is_ended
)

select * from final
