{% macro is_finite(expression) -%}
    {{ return(adapter.dispatch('is_finite', 'customer_lifetime')(expression)) }}
{%- endmacro %}

{% macro default__is_finite(expression) -%}
    isfinite({{ expression }})
{%- endmacro %}
