{#- How customers are contacted. Documented in _strategy__macros.yml. -#}
{% macro contact_channels() -%}
    {{ return(['email', 'phone', 'post', 'push', 'sms', 'social']) }}
{%- endmacro %}
