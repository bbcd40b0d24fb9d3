{#- Identical rows are told apart by how many came before. -#}
{% macro rows_identified(rows) -%}
    select
        {{ dbt.hash(
            "input_name || '|' || row_content || '|' || "
            ~ "cast(occurrence_number as " ~ dbt.type_string() ~ ")"
        ) }} as rejected_row_id,
        input_name,
        row_outcome,
        rejection_reasons,
        row_content,
        amount
    from (
        select
            {{ rows }}.*,
            row_number() over (
                partition by input_name, row_content
                order by row_outcome, rejection_reasons
            ) as occurrence_number
        from {{ rows }}
    ) as numbered
{%- endmacro %}
