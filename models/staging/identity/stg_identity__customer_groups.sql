with

final as (
    select
        match_outcome,
        cast(customer_count as bigint) as ids_in_group_count,
        count(*) as group_count
    from {{ source('identity', 'customer_groups') }}
    group by match_outcome, customer_count
)

select * from final
