{#- The vars of dbt_project.yml, checked once where they enter SQL. Documented in
    _settings__macros.yml. -#}

{% macro setting_date(name) -%}
    {%- set value = var(name) -%}
    {%- if value is none -%}
        cast(null as date)
    {%- elif modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', value | string) -%}
        cast('{{ value }}' as date)
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be a date such as 2025-12-31 or null, not '
            ~ value ~ '.'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro setting_number(name, minimum=none, maximum=none) -%}
    {%- set value = var(name) -%}
    {%- if value is none -%}
        cast(null as integer)
    {%- elif value is not number or value is boolean
        or (minimum is not none and value < minimum)
        or (maximum is not none and value > maximum) -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be a number'
            ~ (' of at least ' ~ minimum if minimum is not none else '')
            ~ (' and at most ' ~ maximum if maximum is not none else '')
            ~ ', not ' ~ value ~ '.'
        ) }}
    {%- else -%}
        {{ value }}
    {%- endif -%}
{%- endmacro %}

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
