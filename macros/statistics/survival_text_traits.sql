{#- What is known of a customer at the start. Documented in
    _statistics__survival__macros.yml. -#}
{% macro survival_text_traits() -%}
    {{ return([
        'acquisition_channel', 'country', 'sales_channel', 'start_quarter', 'plan',
        'contract_term', 'payment_method',
    ]) }}
{%- endmacro %}
