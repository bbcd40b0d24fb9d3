{% macro parsed_integer(column) -%}
    case
        when
            {{ try_cast(column, type_double()) }}
            = floor({{ try_cast(column, type_double()) }})
            then {{ try_cast(column, 'integer') }}
    end
{%- endmacro %}
