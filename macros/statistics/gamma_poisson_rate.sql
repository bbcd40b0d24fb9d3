{#- Posterior mean of a purchase rate. Documented in _statistics__products__macros.yml. -#}
{% macro gamma_poisson_rate(shape, mean_rate, count, exposure) -%}
    {{ ratio(
        shape ~ ' + ' ~ count,
        ratio(shape, mean_rate) ~ ' + ' ~ exposure
    ) }}
{%- endmacro %}
