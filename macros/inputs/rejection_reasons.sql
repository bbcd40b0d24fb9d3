{% macro rejection_reasons(checks) -%}
    nullif(concat_ws(
        ', ',
        {{ checks | join(',\n        ') }}
    ), '')
{%- endmacro %}
