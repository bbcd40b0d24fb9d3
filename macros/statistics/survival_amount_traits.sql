{#- Amounts known at the start. Documented in _statistics__survival__macros.yml. -#}
{% macro survival_amount_traits() -%}
    {{ return(['first_purchase_amount', 'monthly_amount']) }}
{%- endmacro %}
