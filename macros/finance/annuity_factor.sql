{% macro annuity_factor(
    rate, periods, timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('annuity_factor', 'customer_lifetime')(
        rate, periods, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__annuity_factor(rate, periods, timing, rate_basis, period) -%}
    {%- if periods is none -%}
        {{ exceptions.raise_compiler_error(
            'periods is none: an annuity needs a horizon; without one use'
            ~ ' perpetuity_factor.'
        ) }}
    {%- endif -%}
    {{ discounted_sum_factor(
        rate, periods, timing=timing, rate_basis=rate_basis, period=period
    ) }}
{%- endmacro %}
