-- The reasons of a row stay together: so each row is counted once, and the shares of an
-- input add up to that of all its rows which were not accepted.
with

rejected as (
    select
        input_name,
        row_outcome,
        rejection_reasons,
        count(*) as row_count,
        sum(amount) as amount
    from {{ ref('fct_rejected_rows') }}
    group by input_name, row_outcome, rejection_reasons
),

delivered as (
    select
        input_name,
        raw_row_count
    from {{ ref('fct_input_health') }}
),

final as (
    select
        rejected.input_name,
        rejected.row_outcome,
        rejected.rejection_reasons,
        cast(rejected.row_count as bigint) as row_count,
        {{ ratio('rejected.row_count', 'delivered.raw_row_count') }} as row_rate,
        {{ money('rejected.amount') }} as amount
    from rejected
    inner join delivered on rejected.input_name = delivered.input_name
)

select * from final
