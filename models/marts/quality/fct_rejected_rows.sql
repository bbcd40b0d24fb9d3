-- Where every raw row that was not accepted stands, so that nothing is lost: what was
-- quarantined, and what another row of the same key replaced.
with

final as (
    select
        rejected_row_id,
        input_name,
        row_outcome,
        rejection_reasons,
        row_content,
        amount
    from {{ ref('int_commerce_rows_rejected') }}

    union all

    select
        rejected_row_id,
        input_name,
        row_outcome,
        rejection_reasons,
        row_content,
        amount
    from {{ ref('int_marketing_rows_rejected') }}
)

select * from final
