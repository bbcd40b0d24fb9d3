{% macro setting_choice(name, choices) -%}
    {%- set value = var(name) -%}
    {%- if value not in choices -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be one of ' ~ choices | join(', ') ~ ', not '
            ~ value ~ '.'
        ) }}
    {%- endif -%}
    {{ value }}
{%- endmacro %}
