-- A table, so that the inputs are counted once.
{{ config(materialized='table') }}

with

final as (
    select
        input_name,
        delivered_row_count,
        cast(forgotten_row_count as bigint) as forgotten_row_count,
        cast(stand_in_row_count as bigint) as stand_in_row_count
    from {{ source('erasure', 'forgotten_rows') }}
)

select * from final
