{#- Half the width of a 95 % interval, in standard errors. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro student_quantile_975(degrees_of_freedom) -%}
    {{ return(adapter.dispatch('student_quantile_975', 'customer_lifetime')(
        degrees_of_freedom
    )) }}
{%- endmacro %}

{#- its logarithm is a smooth function of 1 / df: a polynomial in 2 / df - 1, fitted at
    Chebyshev's points -#}
{% macro default__student_quantile_975(degrees_of_freedom) -%}
    {%- set position = '(2e0 / ' ~ degrees_of_freedom ~ ' - 1)' -%}
    case when {{ degrees_of_freedom }} >= 1 then exp({{ horner([
        '1.05659152e-5', '-3.6755007e-6', '-5.59260471e-5', '4.17240271e-5',
        '1.945227753e-4', '-3.816157289e-4', '-6.0230029e-4', '3.7547760151e-3',
        '-3.3921295166e-3', '-2.71205245357e-2', '1.521217874354e-1',
        '9.582914862143e-1', '1.4592317465646e0',
    ], position) }}) end
{%- endmacro %}
