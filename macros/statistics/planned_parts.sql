{#- How large an arm was meant to be. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro planned_parts(experiment_id, arm) -%}
    {%- set split = var('experiment_split', {}) -%}
    {%- set message = 'The var experiment_split must give each arm a number above 0, such'
        ~ ' as {newsletter: {control: 1, letter: 9}}, not ' ~ split ~ '.' -%}
    {%- if split is not mapping or split.values() | reject('mapping') | list -%}
        {%- do exceptions.raise_compiler_error(message) -%}
    {%- endif -%}
    {%- set branches = [] -%}
    {%- for experiment, arms in split.items() -%}
        {%- for name, parts in arms.items() -%}
            {%- if not is_plain_number(parts) or parts <= 0 -%}
                {%- do exceptions.raise_compiler_error(message) -%}
            {%- endif -%}
            {%- do branches.append(
                'when ' ~ experiment_id ~ ' = ' ~ quoted_text(experiment | string) ~ ' and '
                ~ arm ~ ' = ' ~ quoted_text(name | string) ~ ' then ' ~ parts
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ 'case ' ~ branches | join(' ') ~ ' else 1 end' if branches else 1 }}
{%- endmacro %}
