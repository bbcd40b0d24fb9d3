{% macro discounted_sum(
    amount, rate, periods, retention=none, survival='none',
    timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('discounted_sum', 'customer_lifetime')(
        amount, rate, periods, retention, survival, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__discounted_sum(
    amount, rate, periods, retention, survival, timing, rate_basis, period
) -%}
    ({{ checked_number('amount', amount).sql }} * {{ discounted_sum_factor(
        rate, periods, retention, survival, timing, rate_basis, period
    ) }})
{%- endmacro %}
