{#- Shape of the gamma distribution of rates. Documented in
    _statistics__products__macros.yml. -#}
{% macro gamma_poisson_shape(pairs, pairs_by_chance) -%}
    coalesce(least(
        {{ ratio(
            'case when ' ~ pairs ~ ' > ' ~ pairs_by_chance
            ~ ' then ' ~ pairs_by_chance ~ ' end',
            pairs ~ ' - ' ~ pairs_by_chance
        ) }},
        1000000
    ), 1000000)
{%- endmacro %}
