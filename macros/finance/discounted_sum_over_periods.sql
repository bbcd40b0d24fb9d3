{% macro discounted_sum_over_periods(
    amount, rate, period_number, survival_share=1,
    timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('discounted_sum_over_periods', 'customer_lifetime')(
        amount, rate, period_number, survival_share, timing, rate_basis, period
    )) }}
{%- endmacro %}

{% macro default__discounted_sum_over_periods(
    amount, rate, period_number, survival_share, timing, rate_basis, period
) -%}
    {%- set amount = checked_number('amount', amount) -%}
    {%- set share = checked_number(
        'survival_share', survival_share, 0, 1,
        'It is the share still there in the period: a column, or 1 for everyone.'
    ) -%}
    sum(
        {{ amount.sql }} * {{ null_unless(share.guards, share.sql) }}
        * {{ discount_factor(rate, period_number, timing, rate_basis, period) }}
    )
{%- endmacro %}
