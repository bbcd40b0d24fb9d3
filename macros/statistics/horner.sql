{#- A polynomial. Documented in _statistics__experiments__macros.yml. -#}
{% macro horner(coefficients, x) -%}
    {%- set nested = namespace(sql=coefficients[0]) -%}
    {%- for coefficient in coefficients[1:] -%}
        {%- set nested.sql = '(' ~ nested.sql ~ ' * ' ~ x ~ ' + ' ~ coefficient ~ ')' -%}
    {%- endfor -%}
    {{ nested.sql }}
{%- endmacro %}
