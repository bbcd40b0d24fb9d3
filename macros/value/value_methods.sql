{#- The methods that are judged. Documented in _value__judging__macros.yml. -#}
{% macro value_methods() -%}
    {{ return([
        'champion', 'champion_uncorrected', 'bg_nbd', 'mbg_nbd', 'pareto_nbd',
        'classic', 'last_period', 'rate', 'rate_with_first', 'regression',
    ]) }}
{%- endmacro %}
