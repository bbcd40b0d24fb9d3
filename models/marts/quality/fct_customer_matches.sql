-- Which ids were taken for one person's, and which were not although they share an
-- address: one that many share is an office's or the shop's own.
with

final as (
    select
        match_outcome,
        ids_in_group_count,
        group_count,
        case
            when match_outcome = 'merged' then group_count * (ids_in_group_count - 1)
            else 0
        end as merged_id_count
    from {{ ref('stg_identity__customer_groups') }}
)

select * from final
