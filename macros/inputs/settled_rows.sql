{#- The last CTEs of a base model: what became of each row. Documented in
    _inputs__macros.yml. -#}
{% macro settled_rows(rows, columns, key, latest_by=none) -%}
{%- set key_match -%}
    {%- for column in key -%}
        {{ rows }}.{{ column }} is not distinct from repeated_keys.{{ column }}
        {{- ' and ' if not loop.last }}
    {%- endfor -%}
{%- endset -%}
{%- set version_window -%}
    over (
        partition by {{ key | join(', ') }}
        order by {{ latest_by ~ ' desc nulls last, ' if latest_by }}row_content desc
    )
{%- endset -%}
repeated_keys as (
    select {{ key | join(', ') }}
    from {{ rows }}
    where rejection_reasons is null
    group by {{ key | join(', ') }}
    having count(*) > 1
),

versions as (
    select
        {{ rows }}.*,
        row_number() {{ version_window }} as version_number,
        first_value(row_content) {{ version_window }} as newest_content
    from {{ rows }}
    where
        rejection_reasons is null
        and exists (select 1 from repeated_keys where {{ key_match }})
),

final as (
    select
        {{ columns | join(',\n        ') }},
        rejection_reasons,
        case
            when rejection_reasons is null then 'accepted' else 'quarantined'
        end as row_outcome,
        case when rejection_reasons is not null then row_content end as row_content
    from {{ rows }}
    where
        rejection_reasons is not null
        or not exists (select 1 from repeated_keys where {{ key_match }})

    union all

    select
        {{ columns | join(',\n        ') }},
        case
            when version_number = 1 then null
            when row_content = newest_content then 'row: duplicate'
            else '{{ key | join(', ') }}: superseded'
        end as rejection_reasons,
        case when version_number = 1 then 'accepted' else 'duplicate' end
            as row_outcome,
        case when version_number > 1 then row_content end as row_content
    from versions
)
{%- endmacro %}
