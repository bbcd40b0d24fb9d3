{#- How raw values become typed ones, and what is said of those that do not.
    Documented in _inputs__macros.yml. -#}

{% macro parsed_timestamp(column) -%}
    case
        when {{ is_finite(try_cast(column, 'timestamp')) }}
            then {{ try_cast(column, 'timestamp') }}
    end
{%- endmacro %}

{% macro parsed_date(column) -%}
    cast({{ parsed_timestamp(column) }} as date)
{%- endmacro %}

{% macro parsed_money(column) -%}
    case
        when abs({{ try_cast(column, type_double()) }}) < 1e10
            then {{ try_cast(column, type_money()) }}
    end
{%- endmacro %}

{% macro parsed_integer(column) -%}
    case
        when
            {{ try_cast(column, type_double()) }}
            = floor({{ try_cast(column, type_double()) }})
            then {{ try_cast(column, 'integer') }}
    end
{%- endmacro %}

{% macro parsed_boolean(column) -%}
    {{ try_cast(column, 'boolean') }}
{%- endmacro %}


{% macro rejection_reasons(checks) -%}
    nullif(concat_ws(
        ', ',
        {{ checks | join(',\n        ') }}
    ), '')
{%- endmacro %}

{% macro reject_if(condition, column, reason) -%}
    case when {{ condition }} then '{{ column }}: {{ reason }}' end
{%- endmacro %}

{% macro reject_missing(column) -%}
    {{ reject_if(column ~ ' is null', column, 'missing') }}
{%- endmacro %}

{% macro reject_bad_date(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_timestamp(column) ~ ' is null',
        column, 'unparseable_date'
    ) }}
{%- endmacro %}

{% macro reject_bad_moment(column, first_future_date) -%}
    {{ reject_bad_date(column) }},
        {{ reject_if(
            parsed_timestamp(column) ~ " < timestamp '1990-01-01 00:00:00'",
            column, 'before_1990'
        ) }},
        {{ reject_if(
            parsed_date(column) ~ ' >= ' ~ first_future_date, column, 'in_future'
        ) }}
{%- endmacro %}

{% macro reject_bad_number(column) -%}
    case
        when {{ column }} is null then null
        when {{ try_cast(column, type_double()) }} is null
            then '{{ column }}: unparseable_number'
        when not {{ is_finite(try_cast(column, type_double())) }}
            then '{{ column }}: not_finite'
        when {{ parsed_money(column) }} is null
            then '{{ column }}: out_of_range'
    end
{%- endmacro %}

{% macro reject_bad_integer(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_integer(column) ~ ' is null',
        column, 'unparseable_number'
    ) }}
{%- endmacro %}

{% macro reject_bad_boolean(column) -%}
    {{ reject_if(
        column ~ ' is not null and ' ~ parsed_boolean(column) ~ ' is null',
        column, 'unparseable_boolean'
    ) }}
{%- endmacro %}


{% macro first_future_dates(rows, column) -%}
    select min(activity_date) as first_future_date
    from (
        select
            activity_date,
            row_count,
            lag(activity_date) over (order by activity_date) as previous_date,
            sum(row_count) over (order by activity_date) as running_count,
            sum(row_count) over () as total_count
        from (
            select
                {{ parsed_date(column) }} as activity_date,
                count(*) as row_count
            from {{ rows }}
            where {{ parsed_timestamp(column) }} >= timestamp '1990-01-01 00:00:00'
            group by 1
        ) as dates
    ) as dates_in_order
    where
        {{ days_between('previous_date', 'activity_date') }} > 1096
        and (running_count - row_count) * 2 >= total_count
{%- endmacro %}
