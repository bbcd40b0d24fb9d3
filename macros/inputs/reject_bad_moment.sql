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
