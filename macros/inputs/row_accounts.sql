{#- The common shape in which quality speaks of the rows of any input. Documented in
    _inputs__macros.yml. -#}

{% macro rows_not_accepted(input_name, amount='null', content='row_content') -%}
    select
        '{{ input_name }}' as input_name,
        row_outcome,
        rejection_reasons,
        {{ money(amount) }} as amount,
        {{ content }} as row_content
    from {{ ref('base_shop__' ~ input_name) }}
    where row_outcome != 'accepted'
{%- endmacro %}

{% macro rows_counted(input_name, amount='null', date='null') -%}
    select
        '{{ input_name }}' as input_name,
        row_outcome,
        count(*) as row_count,
        {{ money('coalesce(sum(' ~ money(amount) ~ '), 0)') }} as amount,
        min(case when row_outcome = 'accepted' then cast({{ date }} as date) end)
            as first_date,
        max(case when row_outcome = 'accepted' then cast({{ date }} as date) end)
            as last_date
    from {{ ref('base_shop__' ~ input_name) }}
    group by row_outcome
{%- endmacro %}

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
