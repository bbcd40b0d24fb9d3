{#- What clusters are told apart by. Documented in _statistics__clusters__macros.yml. -#}
{% macro cluster_traits() -%}
    {{ return([
        'frequency', 'days_since_last_purchase', 'age_days', 'mean_purchase_amount',
        'margin_rate', 'gap_variation', 'main_channel_rate', 'satisfaction_score',
    ]) }}
{%- endmacro %}
