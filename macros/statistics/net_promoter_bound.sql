{#- A bound of the interval of a net promoter score. Documented in
    _statistics__segments__macros.yml. -#}
{% macro net_promoter_bound(promoter_count, detractor_count, answer_count, side) -%}
    {%- do checked_choice('side', side, ['lower', 'upper']) -%}
    {%- set answers = '(' ~ answer_count ~ ' + 3)' -%}
    {%- set promoters = ratio(promoter_count ~ ' + 0.75', answers) -%}
    {%- set detractors = ratio(detractor_count ~ ' + 0.75', answers) -%}
    {%- set balance = '(' ~ promoters ~ ' - ' ~ detractors ~ ')' -%}
    {%- set margin -%}
        1.959963984540054 * sqrt({{ ratio(
            promoters ~ ' + ' ~ detractors ~ ' - power(' ~ balance ~ ', 2)', answers
        ) }})
    {%- endset -%}
    {#- greatest() and least() pass over NULL on some engines -#}
    case when {{ answer_count }} > 0 then 100 *
    {%- if side == 'lower' %} greatest(-1, {{ balance }} - {{ margin }})
    {%- else %} least(1, {{ balance }} + {{ margin }})
    {%- endif %} end
{%- endmacro %}
