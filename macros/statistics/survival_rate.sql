{#- Survival under proportional hazards. Documented in
    _statistics__survival__macros.yml. -#}
{% macro survival_rate(cumulative_hazard, log_hazard_ratio) -%}
    {{ return(adapter.dispatch('survival_rate', 'customer_lifetime')(
        cumulative_hazard, log_hazard_ratio
    )) }}
{%- endmacro %}

{#- no hazard, however great, makes exp() fail: below 1e-300 it is nothing -#}
{% macro default__survival_rate(cumulative_hazard, log_hazard_ratio) -%}
    exp(-least(690, ({{ cumulative_hazard }}) * exp({{ log_hazard_ratio }})))
{%- endmacro %}
