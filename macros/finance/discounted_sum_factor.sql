{% macro discounted_sum_factor(
    rate, periods, retention=none, survival='none',
    timing='end', rate_basis='annual', period='month'
) -%}
    {{ return(adapter.dispatch('discounted_sum_factor', 'customer_lifetime')(
        rate, periods, retention, survival, timing, rate_basis, period
    )) }}
{%- endmacro %}

{#- With i the rate per period, r the retention that compounds (1 if none does)
    and s the part of a period by which a payment precedes the period's end:
        first * (1 + i)^s * (1 - q^n) / (1 + i - r),    q = r / (1 + i).
    Where q nears 1 that is 0 / 0. There it is n times the middle payment, and a
    little more because the payments around it are not on a straight line:
        first * (1 + i)^(s - 1) * q^((n - 1) / 2) * n
            * (1 + (n^2 - 1) / 24 * (1 - q)^2 / q).
    At the border between the two both are good to ten digits. -#}
{% macro default__discounted_sum_factor(
    rate, periods, retention, survival, timing, rate_basis, period
) -%}
    {%- set rate = checked_rate(rate, rate_basis, period) -%}
    {%- set kept = checked_survival(survival, retention) -%}
    {%- set horizon = checked_horizon(periods) -%}
    {%- set s = periods_before_end(timing) -%}
    {%- set n = horizon.sql -%}
    {%- set to_middle = '(' ~ s ~ ' - (' ~ n ~ ' + 1) * 0.5)' -%}
    {%- set r = kept.compounding -%}
    {%- set first = kept.first ~ ' * ' if kept.first else '' -%}

    {#- 1 + i - r, in the order that keeps its digits where it is near 0 -#}
    {%- set gap = '(' ~ rate.sql ~ ' + (1 - ' ~ r ~ '))' if r else rate.sql -%}
    {%- set least_gap = (rate.number or 0) + (kept.loss or 0) -%}

    {%- if n is none -%}
        {%- if least_gap == 0 and rate.number is not none and kept.loss is not none -%}
            {{ exceptions.raise_compiler_error(
                'the perpetuity has no finite value: nothing is discounted and no one'
                ~ ' leaves. Give periods, a rate above 0, or a retention below 1 with'
                ~ " survival 'geometric'."
            ) }}
        {%- endif -%}
        {%- set total -%}
            ({{ first }}{{ growth_over(rate, s) }} / nullif({{ gap }}, 0))
        {%- endset -%}
    {%- else -%}
        {%- set total -%}
            ({{ first }}{{ growth_over(rate, s) }}
            * (1 - {{ growth_over(rate, '-' ~ n) }}
            {%- if r %} * power({{ r }}, {{ n }}){% endif %}) / {{ gap }})
        {%- endset -%}
        {%- if ((horizon.number or 0) + 1) * least_gap < 0.005 -%}
            {%- set total -%}
                case when ({{ n }} + 1) * {{ gap }} < 0.005 then
                {{ first }}{{ growth_over(rate, to_middle) }}
                {%- if r %} * power({{ r }}, ({{ n }} - 1) * 0.5){% endif %} * {{ n }}
                * (1 + (1e0 * {{ n }} * {{ n }} - 1) * {{ gap }} * {{ gap }}
                / (24 * {{ growth_over(rate, 1) }}{% if r %} * {{ r }}{% endif %}))
                else {{ total }} end
            {%- endset -%}
        {%- endif -%}
    {%- endif -%}

    {{ null_unless(rate.guards + kept.guards + horizon.guards, total) }}
{%- endmacro %}
