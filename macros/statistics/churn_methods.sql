{#- The methods that are judged. Documented in _statistics__churn__macros.yml. -#}
{% macro churn_methods() -%}
    {{ return([
        'logistic', 'linear_svm', 'p_alive', 'expected_purchases', 'recency',
    ]) }}
{%- endmacro %}
