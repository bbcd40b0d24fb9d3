{#- Whether a setting may stand in SQL as it is: nan and inf would read as names. -#}
{% macro is_plain_number(value) -%}
    {{ return(
        value is number and value is not boolean
        and value | string not in ['nan', 'inf', '-inf']
    ) }}
{%- endmacro %}
