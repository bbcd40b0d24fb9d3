{#- In doubles: DuckDB casts wide decimals slowly, and for amounts below ten billion a
    product that has four decimals comes out exact once it is money again. -#}
{% macro product(factors) -%}
    (
        {%- for factor in factors -%}
            cast({{ factor }} as {{ type_double() }}){{ ' * ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}
