{#- By what customers are grouped. Documented in _segmentation__macros.yml. -#}
{% macro segment_types() -%}
    {{ return([
        'stage', 'rfm_segment', 'value_tier', 'churn_state', 'cluster_name',
        'purchase_frequency', 'favourite_category', 'acquisition_channel', 'country',
        'region', 'gender', 'age_band', 'income_band', 'lifestyle',
    ]) }}
{%- endmacro %}
