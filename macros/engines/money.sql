{% macro money(amount) -%}
    cast({{ amount }} as {{ type_money() }})
{%- endmacro %}
