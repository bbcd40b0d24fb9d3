{#- P(alive) of the process that a row names. Documented in _statistics__macros.yml. -#}
{% macro p_alive(fitted, frequency, recency, age) -%}
    {%- set r = fitted ~ '.r' -%}
    {%- set alpha = fitted ~ '.alpha_weeks' -%}
    {%- set a = fitted ~ '.a' -%}
    {%- set b = fitted ~ '.b' -%}
    {%- set s = fitted ~ '.s' -%}
    {%- set beta = fitted ~ '.beta_weeks' -%}
    case {{ fitted }}.process
        when 'bg_nbd'
            then {{ p_alive_bg_nbd(r, alpha, a, b, frequency, recency, age) }}
        when 'mbg_nbd'
            then {{ p_alive_mbg_nbd(r, alpha, a, b, frequency, recency, age) }}
        when 'pareto_nbd'
            then {{ p_alive_pareto_nbd(r, alpha, s, beta, frequency, recency, age) }}
    end
{%- endmacro %}
