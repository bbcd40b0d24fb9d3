{% macro setting_date(name) -%}
    {%- set value = var(name) -%}
    {%- if value is none -%}
        cast(null as date)
    {%- elif modules.re.match('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$', value | string) -%}
        cast('{{ value }}' as date)
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be a date such as 2025-12-31 or null, not '
            ~ value ~ '.'
        ) }}
    {%- endif -%}
{%- endmacro %}
