{#- A trait on the scale learned. Documented in _statistics__traits__macros.yml. -#}
{% macro standardised_trait(value, is_logarithm, mean, standard_deviation) -%}
    coalesce({{ ratio(
        '(case when ' ~ is_logarithm ~ ' then ln(1 + greatest(' ~ value ~ ', 0)) else '
        ~ value ~ ' end - ' ~ mean ~ ')',
        standard_deviation
    ) }}, 0)
{%- endmacro %}
