{#- How large an arm was meant to be. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro planned_parts(experiment_id, arm) -%}
    {%- set split = var('experiment_split', {}) -%}
    {%- set branches = [] -%}
    {%- for experiment, arms in split.items() -%}
        {%- for name, parts in arms.items() -%}
            {%- if parts is not number or parts is boolean or parts <= 0 -%}
                {{ exceptions.raise_compiler_error(
                    'The var experiment_split must give each arm a number above 0, such as'
                    ~ ' {newsletter: {control: 1, letter: 9}}, not ' ~ split ~ '.'
                ) }}
            {%- endif -%}
            {%- do branches.append(
                'when ' ~ experiment_id ~ ' = ' ~ quoted_text(experiment) ~ ' and '
                ~ arm ~ ' = ' ~ quoted_text(name) ~ ' then ' ~ parts
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ 'case ' ~ branches | join(' ') ~ ' else 1 end' if branches else 1 }}
{%- endmacro %}
