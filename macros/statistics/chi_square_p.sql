{#- How often chance alone deviates so far from what was planned. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro chi_square_p(chi_square, degrees_of_freedom) -%}
    {{ return(adapter.dispatch('chi_square_p', 'customer_lifetime')(
        chi_square, degrees_of_freedom
    )) }}
{%- endmacro %}

{#- Finite sums, whose terms are each the one before times half / k (even) or
    half / (k + 1/2) (odd): nested from the last that 50 degrees of freedom may need. -#}
{% macro default__chi_square_p(chi_square, degrees_of_freedom) -%}
{%- set half = 'least(7e2, ' ~ chi_square ~ ' / 2e0)' -%}
{%- set even = namespace(sql='1') -%}
{%- set odd = namespace(sql='1') -%}
{%- for k in range(24, 0, -1) -%}
    {%- set even.sql = '(1 + case when ' ~ degrees_of_freedom ~ ' >= ' ~ (2 * k + 2)
        ~ ' then ' ~ half ~ ' / ' ~ k ~ ' * ' ~ even.sql ~ ' else 0 end)' -%}
    {%- set odd.sql = '(1 + case when ' ~ degrees_of_freedom ~ ' >= ' ~ (2 * k + 3)
        ~ ' then ' ~ half ~ ' / ' ~ (k + 0.5) ~ ' * ' ~ odd.sql ~ ' else 0 end)' -%}
{%- endfor -%}
    case
        when {{ chi_square }} is null then null
        when {{ degrees_of_freedom }} not between 1 and 50 then null
        when mod({{ degrees_of_freedom }}, 2) = 0
            then exp(-{{ half }}) * {{ even.sql }}
        when {{ degrees_of_freedom }} = 1
            then {{ normal_two_sided_p('sqrt(' ~ chi_square ~ ')') }}
        else
            {{ normal_two_sided_p('sqrt(' ~ chi_square ~ ')') }}
            + 1.1283791670955126e0 * sqrt({{ half }}) * exp(-{{ half }}) * {{ odd.sql }}
    end
{%- endmacro %}
