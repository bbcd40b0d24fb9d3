{% macro parsed_money(column) -%}
    case
        when abs({{ try_cast(column, type_double()) }}) < 1e10
            then {{ try_cast(column, type_money()) }}
    end
{%- endmacro %}
