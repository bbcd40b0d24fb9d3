{#- What Python learns from, in words. Documented in _statistics__traits__macros.yml. -#}
{% macro text_traits() -%}
    {{ return(['acquisition_channel', 'plan', 'payment_method']) }}
{%- endmacro %}
