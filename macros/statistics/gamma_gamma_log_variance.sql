{#- How uncertain the expected spend is. Documented in _statistics__macros.yml. -#}
{% macro gamma_gamma_log_variance(
    p, q, v, frequency, mean_spend,
    p_variance, q_variance, v_variance, p_q_covariance, p_v_covariance, q_v_covariance
) -%}
    {{ return(adapter.dispatch('gamma_gamma_log_variance', 'customer_lifetime')(
        p, q, v, frequency, mean_spend, p_variance, q_variance, v_variance,
        p_q_covariance, p_v_covariance, q_v_covariance
    )) }}
{%- endmacro %}

{% macro default__gamma_gamma_log_variance(
    p, q, v, frequency, mean_spend,
    p_variance, q_variance, v_variance, p_q_covariance, p_v_covariance, q_v_covariance
) -%}
    {#- derivatives of the logarithm of the expected spend by those of p, q and v -#}
    {%- set shape = p ~ ' * ' ~ frequency ~ ' + ' ~ q ~ ' - 1' -%}
    {%- set by_p = ratio('(' ~ q ~ ' - 1)', shape) -%}
    {%- set by_q = '(-' ~ ratio(q, shape) ~ ')' -%}
    {%- set by_v = ratio(
        v, v ~ ' + coalesce(' ~ frequency ~ ' * ' ~ mean_spend ~ ', 0)'
    ) -%}
    greatest(
        0,
        {{ by_p }} * {{ by_p }} * {{ p_variance }}
        + {{ by_q }} * {{ by_q }} * {{ q_variance }}
        + {{ by_v }} * {{ by_v }} * {{ v_variance }}
        + 2 * {{ by_p }} * {{ by_q }} * {{ p_q_covariance }}
        + 2 * {{ by_p }} * {{ by_v }} * {{ p_v_covariance }}
        + 2 * {{ by_q }} * {{ by_v }} * {{ q_v_covariance }}
    )
{%- endmacro %}
