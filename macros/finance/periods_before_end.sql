{% macro periods_before_end(timing) -%}
    {{ return({'end': 0, 'mid': 0.5, 'begin': 1}[
        checked_choice('timing', timing, ['end', 'mid', 'begin'])
    ]) }}
{%- endmacro %}
