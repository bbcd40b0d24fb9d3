{#- By what customers are grouped. Documented in _segmentation__macros.yml. -#}
{% macro segment_kinds() -%}
    {{ return({
        'behavioural': [
            'stage', 'churn_state', 'rfm_segment', 'cluster_name', 'purchase_frequency',
            'favourite_category',
        ],
        'value': ['value_tier'],
        'acquisition': ['acquisition_channel'],
        'geographic': ['country', 'region', 'city'],
        'demographic': ['gender', 'age_band', 'income_band'],
        'psychographic': ['lifestyle', 'main_interest'],
    }) }}
{%- endmacro %}
