{#- P(alive) of Pareto/NBD. Documented in _statistics__macros.yml. -#}
{% macro p_alive_pareto_nbd(r, alpha, s, beta, frequency, recency, age) -%}
    {{ return(adapter.dispatch('p_alive_pareto_nbd', 'customer_lifetime')(
        r, alpha, s, beta, frequency, recency, age
    )) }}
{%- endmacro %}

{#- The lower half of the 32 nodes of Gauss-Legendre on [0, 1], with their weights; the
    upper half is its mirror image. -#}
{% macro default__p_alive_pareto_nbd(r, alpha, s, beta, frequency, recency, age) -%}
{%- set nodes = [
    (0.001368069075259215, 0.003509305004735253),
    (0.007194244227365809, 0.008137197365452872),
    (0.017618872206246805, 0.012696032654631012),
    (0.03254696203113017, 0.017136931456510882),
    (0.051839422116973954, 0.021417949011113418),
    (0.07531619313371501, 0.025499029631188046),
    (0.10275810201602881, 0.029342046739267783),
    (0.13390894062985514, 0.03291111138818084),
    (0.16847786653489238, 0.03617289705442417),
    (0.20614212137961885, 0.039096947893535114),
    (0.24655004553388532, 0.041655962113473353),
    (0.28932436193468236, 0.04382604650220189),
    (0.33406569885893617, 0.04558693934788189),
    (0.38035631887393145, 0.046922199540402255),
    (0.42776401920860174, 0.047819360039637354),
    (0.4758461671561308, 0.04827004425736383)
] -%}
{%- set shape = '(' ~ r ~ ' + ' ~ frequency ~ ')' -%}
{%- set since = '(' ~ alpha ~ ' + ' ~ recency ~ ')' -%}
{%- set log_since = '(ln' ~ since ~ ')' -%}
{%- set log_start = '(ln(' ~ beta ~ ' + ' ~ recency ~ '))' -%}
{#- beyond 40 e-foldings the integrand counts for nothing -#}
{%- set reach = 'least(ln(' ~ alpha ~ ' + ' ~ age ~ ') - ' ~ log_since ~ ', '
    ~ ratio(40, 'greatest(' ~ shape ~ ' - 1, 1e-9)') ~ ')' -%}
{%- set terms = [] -%}
{%- for node, weight in nodes -%}
    {%- for position in [node, 1 - node] -%}
        {%- do terms.append(
            weight ~ ' * exp(-(' ~ shape ~ ' - 1) * ' ~ reach ~ ' * ' ~ position
            ~ ' - (' ~ s ~ ' + 1) * (ln(' ~ since ~ ' * exp(' ~ reach ~ ' * '
            ~ position ~ ') + ' ~ beta ~ ' - ' ~ alpha ~ ') - ' ~ log_start ~ '))'
        ) -%}
    {%- endfor -%}
{%- endfor -%}
{%- set log_odds_dead -%}
    ln({{ s }}) + ln({{ reach }})
    + {{ shape }} * (ln({{ alpha }} + {{ age }}) - {{ log_since }}) + {{ log_since }}
    + {{ s }} * (ln({{ beta }} + {{ age }}) - {{ log_start }}) - {{ log_start }}
    + ln({{ terms | join(' + ') }})
{%- endset -%}
    case
        when {{ recency }} >= {{ age }} then 1
        else {{ ratio(1, '(1 + exp(least(700, ' ~ log_odds_dead ~ ')))') }}
    end
{%- endmacro %}
