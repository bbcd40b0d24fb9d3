{% macro checked_horizon(periods) -%}
    {%- if periods is defined and periods is none -%}
        {{ return({'sql': none, 'number': none, 'guards': []}) }}
    {%- endif -%}
    {%- set advice = 'It is the number of periods summed; none is a perpetuity.' -%}
    {%- set horizon = checked_number('periods', periods, 0, none, advice) -%}
    {%- if horizon.number is not none and horizon.number != horizon.number | int -%}
        {{ exceptions.raise_compiler_error(
            'periods is ' ~ periods ~ ': it must be a whole number. ' ~ advice
        ) }}
    {%- endif -%}
    {{ return(horizon) }}
{%- endmacro %}
