{#- From log odds to a probability. Documented in _statistics__churn__macros.yml. -#}
{% macro logistic(log_odds) -%}
    {#- least() passes over NULL on some engines -#}
    case
        when {{ log_odds }} is not null
            then 1 / (1 + exp(-greatest(-700, least(700, {{ log_odds }}))))
    end
{%- endmacro %}
