{#- P(alive) of the process that a row names. Documented in _statistics__macros.yml. -#}
{% macro p_alive(paired) -%}
    {%- set columns = {} -%}
    {%- for name in [
        'r', 'alpha_weeks', 'a', 'b', 's', 'beta_weeks', 'frequency', 'recency_weeks',
        'age_weeks', 'reach', 'small_power', 'large_power', 'share',
    ] -%}
        {%- do columns.update({name: paired ~ '.' ~ name}) -%}
    {%- endfor -%}
    {%- set history = [
        columns.frequency, columns.recency_weeks, columns.age_weeks
    ] -%}
    case {{ paired }}.process
        when 'bg_nbd'
            then {{ p_alive_bg_nbd(
                columns.r, columns.alpha_weeks, columns.a, columns.b, *history
            ) }}
        when 'mbg_nbd'
            then {{ p_alive_mbg_nbd(
                columns.r, columns.alpha_weeks, columns.a, columns.b, *history
            ) }}
        when 'pareto_nbd'
            then {{ p_alive_pareto_nbd(
                columns.r, columns.alpha_weeks, columns.s, columns.beta_weeks,
                *history, terms=columns
            ) }}
    end
{%- endmacro %}
