{#- A bound of a log-normal interval. Documented in _value__macros.yml. -#}
{% macro log_normal_bound(estimate, log_standard_error, coverage, side) -%}
    {%- set z_scores = {'80': 1.2815515655446004, '95': 1.959963984540054} -%}
    {#- e^5 says already that nothing is known, and keeps money in its range -#}
    {{ money(
        estimate ~ ' * exp(' ~ ('-' if side == 'lower' else '') ~ z_scores[coverage]
        ~ ' * least(' ~ log_standard_error ~ ', 5))'
    ) }}
{%- endmacro %}
