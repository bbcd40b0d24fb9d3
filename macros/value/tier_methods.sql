{#- The methods whose tiers are judged. Documented in _value__rules__macros.yml. -#}
{% macro tier_methods() -%}
    {{ return([
        'value_process', 'regression', 'decision_tree', 'random_forest', 'all_low',
    ]) }}
{%- endmacro %}
