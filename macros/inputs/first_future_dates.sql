{% macro first_future_dates(rows, column, silence_years=10) -%}
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
        {{ days_between('previous_date', 'activity_date') }} > 366 * {{ silence_years }}
        and (running_count - row_count) * 2 >= total_count
{%- endmacro %}
