{% macro discounted_sum_over_periods(
    amount, rate, period_number, survival=1,
    timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('discounted_sum_over_periods', 'customer_lifetime')(
        amount, rate, period_number, survival, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__discounted_sum_over_periods(
    amount, rate, period_number, survival, timing, rate_basis, period
) -%}
    {%- set alive = checked_number(
        'survival', survival, 0, 1,
        'It is the share still there in the period: a column, or 1 for everyone.'
    ) -%}
    sum(
        {{ checked_number('amount', amount).sql }}
        {%- if alive.number != 1 %} * {{ null_unless(alive.guards, alive.sql) }}{% endif %}
        * {{ discount_factor(rate, period_number, timing, rate_basis, period) }}
    )
{%- endmacro %}
