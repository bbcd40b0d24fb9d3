{#- A newcomer's expected repeat purchases. Documented in _statistics__macros.yml. -#}
{% macro pareto_nbd_expected_purchases(r, alpha, s, beta, age) -%}
    {{ return(adapter.dispatch('pareto_nbd_expected_purchases', 'customer_lifetime')(
        r, alpha, s, beta, age
    )) }}
{%- endmacro %}

{% macro default__pareto_nbd_expected_purchases(r, alpha, s, beta, age) -%}
    {#- at s = 1 the formula divides by zero; next to it lies its limit -#}
    {%- set s = '(case when abs(' ~ s ~ ' - 1) < 1e-6 then 1.000001 else ' ~ s
        ~ ' end)' -%}
    ({{ ratio(r ~ ' * ' ~ beta, alpha ~ ' * (' ~ s ~ ' - 1)') }}
    * (1 - exp(-({{ s }} - 1) * (ln({{ beta }} + {{ age }}) - ln({{ beta }})))))
{%- endmacro %}
