{#- Wide enough that no product of two amounts and a rate overflows. -#}
{% macro product(factors) -%}
    (cast({{ factors[0] }} as decimal(38, 4)) * {{ factors[1:] | join(' * ') }})
{%- endmacro %}
