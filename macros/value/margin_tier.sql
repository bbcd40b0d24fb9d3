{#- The tier of a margin. Documented in _value__rules__macros.yml. -#}
{% macro margin_tier(margin, within=none) -%}
    case when {{ margin }} <= 0 then 'low' else {{ value_tier(margin, within) }} end
{%- endmacro %}
