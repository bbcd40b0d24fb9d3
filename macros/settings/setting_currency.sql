{% macro setting_currency(name) -%}
    {%- set value = var(name) | string | upper -%}
    {%- if not modules.re.match('^[A-Z]{3}$', value) -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be an ISO 4217 code such as EUR, not ' ~ value ~ '.'
        ) }}
    {%- endif -%}
    {{ value }}
{%- endmacro %}
