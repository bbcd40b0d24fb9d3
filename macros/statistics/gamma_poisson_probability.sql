{#- Chance of at least one event. Documented in _statistics__products__macros.yml. -#}
{% macro gamma_poisson_probability(shape, mean_rate, count, exposure, horizon) -%}
    (1 - power(
        {{ ratio(
            ratio(shape, mean_rate) ~ ' + ' ~ exposure,
            ratio(shape, mean_rate) ~ ' + ' ~ exposure ~ ' + ' ~ horizon
        ) }},
        {{ shape }} + {{ count }}
    ))
{%- endmacro %}
