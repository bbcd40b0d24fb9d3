{% macro setting_number(name, minimum=none, maximum=none, whole=false) -%}
    {%- set value = var(name) -%}
    {%- if value is none -%}
        cast(null as integer)
    {%- elif not is_plain_number(value)
        or (whole and value is not integer)
        or (minimum is not none and value < minimum)
        or (maximum is not none and value > maximum) -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be a ' ~ ('whole ' if whole else '') ~ 'number'
            ~ (' of at least ' ~ minimum if minimum is not none else '')
            ~ (' and at most ' ~ maximum if maximum is not none else '')
            ~ ', not ' ~ value ~ '.'
        ) }}
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}
