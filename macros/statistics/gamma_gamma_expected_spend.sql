{#- Expected spend per purchase. Documented in _statistics__macros.yml. -#}
{% macro gamma_gamma_expected_spend(p, q, v, frequency, mean_spend) -%}
    {{ return(adapter.dispatch('gamma_gamma_expected_spend', 'customer_lifetime')(
        p, q, v, frequency, mean_spend
    )) }}
{%- endmacro %}

{% macro default__gamma_gamma_expected_spend(p, q, v, frequency, mean_spend) -%}
    {{ ratio(
        p ~ ' * (' ~ v ~ ' + coalesce(' ~ frequency ~ ' * ' ~ mean_spend ~ ', 0))',
        p ~ ' * ' ~ frequency ~ ' + ' ~ q ~ ' - 1'
    ) }}
{%- endmacro %}
