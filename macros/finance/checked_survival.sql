{% macro checked_survival(survival, retention) -%}
    {%- do checked_choice(
        'survival', survival, ['none', 'flat', 'geometric', 'geometric_from_start']
    ) -%}
    {%- if survival == 'none' -%}
        {%- if retention is not none -%}
            {{ exceptions.raise_compiler_error(
                "retention is given but survival is 'none': choose 'flat', 'geometric'"
                ~ " or 'geometric_from_start', or leave retention out."
            ) }}
        {%- endif -%}
        {{ return({'first': none, 'compounding': none, 'loss': 0, 'guards': []}) }}
    {%- endif -%}

    {%- set kept = checked_number(
        'retention', retention, 0, 1,
        "survival '" ~ survival ~ "' needs the share that stays: 0.8 is 80 %."
    ) -%}
    {%- set compounds = survival != 'flat' -%}
    {%- set loss = 1 - kept.number if kept.number is not none else none -%}
    {{ return({
        'first': kept.sql if survival != 'geometric_from_start' else none,
        'compounding': kept.sql if compounds else none,
        'loss': loss if compounds else 0,
        'guards': kept.guards,
    }) }}
{%- endmacro %}
