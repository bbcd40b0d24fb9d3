{#- P(alive) of Pareto/NBD. Documented in _statistics__macros.yml. -#}
{% macro p_alive_pareto_nbd(r, alpha, s, beta, frequency, recency, age) -%}
    {{ return(adapter.dispatch('p_alive_pareto_nbd', 'customer_lifetime')(
        r, alpha, s, beta, frequency, recency, age
    )) }}
{%- endmacro %}

{#- The lower half of the 20 nodes of Gauss-Legendre on [0, 1], with their weights; the
    upper half is its mirror image. -#}
{% macro default__p_alive_pareto_nbd(r, alpha, s, beta, frequency, recency, age) -%}
{%- set nodes = [
    (0.003435700407452502, 0.008807003569575447),
    (0.018014036361043095, 0.020300714900193223),
    (0.04388278587433703, 0.031336024167054395),
    (0.08044151408889061, 0.04163837078835236),
    (0.1268340467699246, 0.05096505990862035),
    (0.1819731596367425, 0.0590972659807593),
    (0.24456649902458644, 0.06584431922458844),
    (0.3131469556422902, 0.0710480546591912),
    (0.38610707442917747, 0.07458649323630212),
    (0.46173673943325133, 0.07637669356536314)
] -%}
{%- set shape = '(' ~ r ~ ' + ' ~ frequency ~ ')' -%}
{%- set since = '(' ~ alpha ~ ' + ' ~ recency ~ ')' -%}
{%- set log_since = '(ln' ~ since ~ ')' -%}
{%- set log_start = '(ln(' ~ beta ~ ' + ' ~ recency ~ '))' -%}
{#- beyond 30 e-foldings the integrand counts for nothing -#}
{%- set reach = 'least(ln(' ~ alpha ~ ' + ' ~ age ~ ') - ' ~ log_since ~ ', '
    ~ ratio(30, 'greatest(' ~ shape ~ ' - 1, 1e-9)') ~ ')' -%}
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
