{#- The last CTEs of a base model: what became of each row. Documented in
    _inputs__macros.yml. -#}
{% macro settled_rows(rows, columns, key, latest_by=none) -%}
{#- rejected rows do not compete with the others of their key -#}
{%- set version_window -%}
    over (
        partition by {{ key | join(', ') }}, rejection_reasons is null
        order by {{ latest_by ~ ' desc nulls last, ' if latest_by }}row_content desc
    )
{%- endset -%}
versions as (
    select
        {{ rows }}.*,
        row_number() {{ version_window }} as version_number,
        first_value(row_content) {{ version_window }} as newest_content
    from {{ rows }}
    where is_repeated
),

final as (
    select
        {{ columns | join(',\n        ') }},
        rejection_reasons,
        case
            when rejection_reasons is null then 'accepted' else 'quarantined'
        end as row_outcome,
        row_content
    from {{ rows }}
    where not is_repeated

    union all

    select
        {{ columns | join(',\n        ') }},
        case
            when rejection_reasons is not null then rejection_reasons
            when version_number = 1 then null
            when row_content = newest_content then 'row: duplicate'
            else '{{ key | join(', ') }}: superseded'
        end as rejection_reasons,
        case
            when rejection_reasons is not null then 'quarantined'
            when version_number = 1 then 'accepted'
            else 'duplicate'
        end as row_outcome,
        case
            when rejection_reasons is not null or version_number > 1 then row_content
        end as row_content
    from versions
)
{%- endmacro %}
