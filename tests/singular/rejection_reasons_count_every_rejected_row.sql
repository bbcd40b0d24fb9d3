with

by_reason as (
    select
        input_name,
        sum(case when row_outcome = 'quarantined' then row_count else 0 end)
            as quarantined_row_count,
        sum(case when row_outcome = 'duplicate' then row_count else 0 end)
            as duplicate_row_count
    from {{ ref('fct_rejection_reasons') }}
    group by input_name
)

select
    health.input_name,
    health.quarantined_row_count,
    health.duplicate_row_count
from {{ ref('fct_input_health') }} as health
left join by_reason on health.input_name = by_reason.input_name
where
    health.quarantined_row_count != coalesce(by_reason.quarantined_row_count, 0)
    or health.duplicate_row_count != coalesce(by_reason.duplicate_row_count, 0)
