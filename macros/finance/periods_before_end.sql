{% macro periods_before_end(timing) -%}
    {%- set early = {'end': 0, 'mid': 0.5, 'begin': 1} -%}
    {%- do checked_choice('timing', timing, early.keys() | list) -%}
    {{ return(early[timing]) }}
{%- endmacro %}
