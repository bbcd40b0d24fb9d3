{#- How often chance alone goes so far, of Student's t. Documented in
    _statistics__experiments__macros.yml.
    With u = sqrt(df) sinh(s), s0 where u = t, and T = tanh(s0), the tail beyond t is
    cosh(s0)^-df times the integral over d > 0 of (cosh(d) + T sinh(d))^-df, which falls
    like exp(-lambda d) to some power around 8: on y = exp(-lambda d) it is smooth. -#}
{% macro student_two_sided_p(t, degrees_of_freedom) -%}
    {{ return(adapter.dispatch('student_two_sided_p', 'customer_lifetime')(
        t, degrees_of_freedom
    )) }}
{%- endmacro %}

{% macro default__student_two_sided_p(t, degrees_of_freedom) -%}
{#- -ln of the 16 nodes of Gauss-Legendre on [0, 1], with their weights -#}
{%- set nodes = [
    ('5.3136248371244681e-3', '1.3576229705877088e-2'),
    ('2.8103724498097046e-2', '3.1126761969323728e-2'),
    ('6.9547738403649847e-2', '4.7579255841246303e-2'),
    ('1.3044791807640435e-1', '6.2314485627767036e-2'),
    ('2.1203285162106852e-1', '7.4797994408288354e-2'),
    ('3.1607003973020376e-1', '8.4578259697501323e-2'),
    ('4.4503511264875845e-1', '9.1301707522461820e-2'),
    ('6.0238139284748238e-1', '9.4725305227534320e-2'),
    ('7.9298133896270884e-1', '9.4725305227534320e-2'),
    ('1.0238808851877701e0', '9.1301707522461820e-2'),
    ('1.3056674136686901e0', '8.4578259697501323e-2'),
    ('1.6551579358693107e0', '7.4797994408288354e-2'),
    ('2.1012962591619813e0', '6.2314485627767036e-2'),
    ('2.7003142190302309e0', '4.7579255841246303e-2'),
    ('3.5858721203362776e0', '3.1126761969323728e-2'),
    ('5.2401366690739337e0', '1.3576229705877088e-2'),
] -%}
{%- set df = 'cast(' ~ degrees_of_freedom ~ ' as ' ~ type_double() ~ ')' -%}
{%- set slope = '(abs(' ~ t ~ ') / sqrt(' ~ df ~ ' + ' ~ t ~ ' * ' ~ t ~ '))' -%}
{%- set decay = '((' ~ df ~ ' * ' ~ slope ~ ' + 1.5e0 * sqrt(' ~ df ~ ')) / 8)' -%}
{%- set parts = [] -%}
{%- for step, weight in nodes -%}
    {%- set distance = '(' ~ step ~ ' / ' ~ decay ~ ')' -%}
    {%- do parts.append(
        weight ~ ' * exp(greatest(-700, ' ~ step ~ ' - ' ~ df ~ ' * (' ~ distance
        ~ ' + ln((1 + ' ~ slope ~ ' + (1 - ' ~ slope ~ ') * exp(-2 * ' ~ distance
        ~ ')) / 2))))'
    ) -%}
{%- endfor -%}
{#- Gamma(a + 1/2) / Gamma(a): Stirling's series at a + 8, and back by recurrence -#}
{%- set a = '(' ~ df ~ ' / 2)' -%}
{%- set inverse = '(1e0 / (' ~ a ~ ' + 8))' -%}
{%- set gamma_ratio = 'sqrt(' ~ a ~ ' + 8) * ' ~ horner([
    '-1.52206420898437500e-3', '-6.40869140625e-4', '4.8828125e-3', '7.8125e-3',
    '-1.25e-1', '1e0',
], inverse) -%}
{%- set steps_back = [] -%}
{%- for k in range(8) -%}
    {%- do steps_back.append(
        '(' ~ a ~ ' + ' ~ k ~ ') / (' ~ a ~ ' + ' ~ k ~ ' + 5e-1)'
    ) -%}
{%- endfor -%}
    case
        when {{ t }} is not null and {{ degrees_of_freedom }} > 0
            then least(1, 1.1283791670955126e0 * {{ gamma_ratio }}
                * {{ steps_back | join(' * ') }}
                * exp(greatest(
                    -700, -{{ a }} * ln(1 + {{ t }} * {{ t }} / {{ df }})
                ))
                * ({{ parts | join(' + ') }}) / {{ decay }})
    end
{%- endmacro %}
