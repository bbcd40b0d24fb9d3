{#- What P(alive) of Pareto/NBD needs many times. Documented in _statistics__macros.yml.
    The scale is log(y + the smaller of alpha and beta), on which neither factor of the
    integrand changes within less than a unit; beyond 30 e-foldings of either it counts
    for nothing. -#}
{% macro pareto_nbd_terms(r, alpha, s, beta, frequency, recency, age) -%}
    {%- set shape = '(' ~ r ~ ' + ' ~ frequency ~ ')' -%}
    {%- set smaller = '(least(' ~ alpha ~ ', ' ~ beta ~ ') + ' ~ recency ~ ')' -%}
    {%- set larger = '(greatest(' ~ alpha ~ ', ' ~ beta ~ ') + ' ~ recency ~ ')' -%}
    {%- set by_alpha = '(case when ' ~ alpha ~ ' <= ' ~ beta ~ ' then ' -%}
    {%- set span = 'least(' ~ age ~ ' - ' ~ recency
        ~ ', (' ~ alpha ~ ' + ' ~ recency ~ ') * (exp(least(600, '
        ~ ratio(30, shape) ~ ')) - 1)'
        ~ ', (' ~ beta ~ ' + ' ~ recency ~ ') * (exp('
        ~ ratio(30, '(' ~ s ~ ' + 1)') ~ ') - 1))' -%}
    {{ return({
        'reach': 'ln(1 + ' ~ ratio(span, smaller) ~ ')',
        'small_power': by_alpha ~ shape ~ ' else ' ~ s ~ ' + 1 end)',
        'large_power': by_alpha ~ s ~ ' + 1 else ' ~ shape ~ ' end)',
        'share': ratio(smaller, larger),
    }) }}
{%- endmacro %}
