{#- How often chance alone deviates so far from what was planned. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro chi_square_p(chi_square, degrees_of_freedom) -%}
    {{ return(adapter.dispatch('chi_square_p', 'customer_lifetime')(
        chi_square, degrees_of_freedom
    )) }}
{%- endmacro %}

{#- Finite sums of powers of half of it, divided by k! (even degrees of freedom) or by
    1.5 x 2.5 x ... x (k + 0.5) (odd ones); terms as far as 50 degrees may need them. -#}
{% macro default__chi_square_p(chi_square, degrees_of_freedom) -%}
{%- set half = 'least(7e2, ' ~ chi_square ~ ' / 2e0)' -%}
{%- set even = namespace(terms=['1e0'], divisor=1.0) -%}
{%- set odd = namespace(terms=['1e0'], divisor=1.0) -%}
{%- for k in range(1, 25) -%}
    {%- set even.divisor = even.divisor * k -%}
    {%- set odd.divisor = odd.divisor * (k + 0.5) -%}
    {%- do even.terms.append(
        'case when ' ~ degrees_of_freedom ~ ' >= ' ~ (2 * k + 2) ~ ' then power(' ~ half
        ~ ', ' ~ k ~ ') / ' ~ '%.17e' % even.divisor ~ ' else 0 end'
    ) -%}
    {%- do odd.terms.append(
        'case when ' ~ degrees_of_freedom ~ ' >= ' ~ (2 * k + 3) ~ ' then power(' ~ half
        ~ ', ' ~ k ~ ') / ' ~ '%.17e' % odd.divisor ~ ' else 0 end'
    ) -%}
{%- endfor -%}
    case
        when {{ chi_square }} is null then null
        when {{ degrees_of_freedom }} not between 1 and 50 then null
        when mod({{ degrees_of_freedom }}, 2) = 0
            then exp(-{{ half }}) * ({{ even.terms | join(' + ') }})
        when {{ degrees_of_freedom }} = 1
            then {{ normal_two_sided_p('sqrt(' ~ chi_square ~ ')') }}
        else
            {{ normal_two_sided_p('sqrt(' ~ chi_square ~ ')') }}
            + 1.1283791670955126e0 * sqrt({{ half }}) * exp(-{{ half }})
            * ({{ odd.terms | join(' + ') }})
    end
{%- endmacro %}
