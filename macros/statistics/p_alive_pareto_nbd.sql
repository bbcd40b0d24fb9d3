{#- P(alive) of Pareto/NBD. Documented in _statistics__macros.yml. -#}
{% macro p_alive_pareto_nbd(
    r, alpha, s, beta, frequency, recency, age, terms=none
) -%}
    {{ return(adapter.dispatch('p_alive_pareto_nbd', 'customer_lifetime')(
        r, alpha, s, beta, frequency, recency, age,
        terms or pareto_nbd_terms(r, alpha, s, beta, frequency, recency, age)
    )) }}
{%- endmacro %}

{#- The lower half of the 20 nodes of Gauss-Legendre on [0, 1], with their weights; the
    upper half is its mirror image. -#}
{% macro default__p_alive_pareto_nbd(
    r, alpha, s, beta, frequency, recency, age, terms
) -%}
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
{%- set parts = [] -%}
{%- for node, weight in nodes -%}
    {%- for position in [node, 1 - node] -%}
        {%- set step = terms.reach ~ ' * ' ~ position -%}
        {%- do parts.append(
            weight ~ ' * exp((1 - ' ~ terms.small_power ~ ') * ' ~ step ~ ' - '
            ~ terms.large_power ~ ' * ln(1 + ' ~ terms.share ~ ' * (exp(' ~ step
            ~ ') - 1)))'
        ) -%}
    {%- endfor -%}
{%- endfor -%}
{%- set log_odds_dead -%}
    ln({{ s }}) + ln(least({{ alpha }}, {{ beta }}) + {{ recency }})
    + ln({{ terms.reach }})
    + ({{ r }} + {{ frequency }})
    * (ln({{ alpha }} + {{ age }}) - ln({{ alpha }} + {{ recency }}))
    + {{ s }} * (ln({{ beta }} + {{ age }}) - ln({{ beta }} + {{ recency }}))
    - ln({{ beta }} + {{ recency }})
    + ln({{ parts | join(' + ') }})
{%- endset -%}
    {#- least() passes over NULL on some engines -#}
    case
        when {{ [r, alpha, s, beta, frequency, recency, age] | join(' + ') }} is null
            then null
        when {{ recency }} >= {{ age }} then 1
        else {{ ratio(1, '(1 + exp(least(700, ' ~ log_odds_dead ~ ')))') }}
    end
{%- endmacro %}
