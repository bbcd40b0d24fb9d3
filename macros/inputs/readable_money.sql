{% macro readable_money(amount) -%}
    case
        when abs(cast({{ amount }} as {{ type_double() }})) < 1e10
            then {{ money(amount) }}
    end
{%- endmacro %}
