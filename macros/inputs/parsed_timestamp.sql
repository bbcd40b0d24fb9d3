{% macro parsed_timestamp(column) -%}
    case
        when {{ is_finite(try_cast(column, 'timestamp')) }}
            then {{ try_cast(column, 'timestamp') }}
    end
{%- endmacro %}
