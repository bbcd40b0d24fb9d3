{% macro checked_rate(rate, rate_basis='annual', period='month') -%}
    {%- set per_year = {
        'day': 365.25, 'week': 365.25 / 7, 'month': 12, 'quarter': 4, 'year': 1,
    } -%}
    {%- do checked_choice('period', period, per_year.keys() | list) -%}
    {%- do checked_choice('rate_basis', rate_basis, ['annual', 'per_period']) -%}
    {%- set compoundings = per_year[period] if rate_basis == 'annual' else 1 -%}
    {%- set quoted = checked_number(
        'rate', rate, 0, 10, 'It is a fraction: 0.10 is 10 %.'
    ) -%}

    {%- set checked = {
        'quoted': quoted.sql, 'compoundings': compoundings, 'guards': quoted.guards,
        'sql': '(1e0 * ' ~ quoted.sql ~ ')', 'number': quoted.number,
    } -%}
    {%- if compoundings != 1 -%}
        {%- do checked.update({'sql': '(' ~ growth_over(checked, 1) ~ ' - 1)'}) -%}
        {%- if quoted.number is not none -%}
            {%- do checked.update(
                {'number': (1 + quoted.number) ** (1 / compoundings) - 1}
            ) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(checked) }}
{%- endmacro %}
