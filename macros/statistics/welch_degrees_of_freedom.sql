{#- Degrees of freedom of two means with spreads of their own. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro welch_degrees_of_freedom(
    first_error, first_count, second_error, second_count
) -%}
    {{ ratio(
        'power(power(' ~ first_error ~ ', 2) + power(' ~ second_error ~ ', 2), 2)',
        ratio('power(' ~ first_error ~ ', 4)', first_count ~ ' - 1') ~ ' + '
        ~ ratio('power(' ~ second_error ~ ', 4)', second_count ~ ' - 1')
    ) }}
{%- endmacro %}
