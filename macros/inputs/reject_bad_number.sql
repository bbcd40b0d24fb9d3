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
