{% macro ratio(numerator, denominator) -%}
    (cast({{ numerator }} as {{ type_double() }})
    / nullif(cast({{ denominator }} as {{ type_double() }}), 0))
{%- endmacro %}

{% macro money(amount) -%}
    cast({{ amount }} as {{ type_money() }})
{%- endmacro %}

{% macro percentile(expression, share) -%}
    {{ return(adapter.dispatch('percentile', 'customer_lifetime')(expression, share)) }}
{%- endmacro %}

{% macro default__percentile(expression, share) -%}
    percentile_cont({{ share }}) within group (order by {{ expression }})
{%- endmacro %}

{#- Wide enough that no product of two amounts and a rate overflows. -#}
{% macro product(factors) -%}
    (cast({{ factors[0] }} as decimal(38, 4)) * {{ factors[1:] | join(' * ') }})
{%- endmacro %}
