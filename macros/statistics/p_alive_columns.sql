{#- The columns that p_alive reads. Documented in _statistics__macros.yml. -#}
{% macro p_alive_columns(fitted, histories) -%}
    {%- set recency = ratio(histories ~ '.recency_days', 7) -%}
    {%- set age = ratio(histories ~ '.age_days', 7) -%}
    {%- set terms = pareto_nbd_terms(
        fitted ~ '.r', fitted ~ '.alpha_weeks', fitted ~ '.s', fitted ~ '.beta_weeks',
        histories ~ '.frequency', recency, age
    ) -%}
    {% for name in ['process', 'r', 'alpha_weeks', 'a', 'b', 's', 'beta_weeks'] %}
        {{ fitted }}.{{ name }},
    {% endfor %}
        {{ histories }}.frequency,
        {{ recency }} as recency_weeks,
        {{ age }} as age_weeks,
    {% for name in ['reach', 'small_power', 'large_power', 'share'] %}
        case when {{ fitted }}.process = 'pareto_nbd' then {{ terms[name] }} end
            as {{ name }}{{ ',' if not loop.last }}
    {% endfor %}
{%- endmacro %}
