{#- What Python learns from, in numbers. Documented in _statistics__traits__macros.yml. -#}
{% macro numeric_traits() -%}
    {{ return([
        'frequency', 'days_since_last_purchase', 'age_days', 'recent_purchase_count',
        'mean_purchase_amount', 'margin_rate', 'gap_variation', 'main_channel_rate',
        'satisfaction_score', 'survey_count', 'recent_use_count', 'contract_days',
        'monthly_amount', 'term_months',
    ]) }}
{%- endmacro %}
