{% macro perpetuity_factor(
    rate, timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('perpetuity_factor', 'customer_lifetime')(
        rate, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__perpetuity_factor(rate, timing, rate_basis, period) -%}
    {{ discounted_sum_factor(
        rate, periods=none, timing=timing, rate_basis=rate_basis, period=period
    ) }}
{%- endmacro %}
