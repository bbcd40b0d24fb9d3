{#- What each state of a Markov chain brings over a number of periods. Documented in
    _statistics__lifecycle__macros.yml. -#}
{% macro markov_chain_value(transitions, rewards, rate, periods) -%}
    {{ return(adapter.dispatch('markov_chain_value', 'customer_lifetime')(
        transitions, rewards, rate, periods
    )) }}
{%- endmacro %}

{% macro default__markov_chain_value(transitions, rewards, rate, periods) -%}
{#- sums of decimals are exact: the same in any order of rows and on any engine -#}
{%- set exact = 'decimal(38, 18)' -%}
{#- Step k goes 2^k periods at once: `rate` is the discounted chance to be in `to_state`
    then, `state_value` what comes until then. The binary digits of the number of
    periods say which steps lead there. -#}
{%- set rest = namespace(periods=periods, reached='nothing') -%}
with

values_0 as (
    select
        state,
        cast(coalesce(reward, 0) as {{ type_double() }}) as state_value
    from {{ rewards }}
),

rates_0 as (
    select
        from_state,
        to_state,
        transition_rate / (1 + {{ rate }}) as rate
    from {{ transitions }}
),

nothing as (
    select
        state,
        cast(0 as {{ type_double() }}) as state_value
    from values_0
)
{%- for step in range(32) if rest.periods > 0 -%}
    {%- set steps = [] -%}
    {%- if rest.periods % 2 == 1 -%}
        {%- do steps.append(['reached_' ~ step, rest.reached]) -%}
        {%- set rest.reached = 'reached_' ~ step -%}
    {%- endif -%}
    {%- set rest.periods = rest.periods // 2 -%}
    {%- if rest.periods > 0 -%}
        {%- do steps.append(['values_' ~ (step + 1), 'values_' ~ step]) -%}
    {%- endif -%}
    {%- for result, after in steps %},

{{ result }} as (
    select
        until_then.state,
        until_then.state_value + cast(
            coalesce(sum(cast(rates.rate * after_then.state_value as {{ exact }})), 0)
            as {{ type_double() }}
        ) as state_value
    from values_{{ step }} as until_then
    left join rates_{{ step }} as rates on until_then.state = rates.from_state
    left join {{ after }} as after_then on rates.to_state = after_then.state
    group by until_then.state, until_then.state_value
)
    {%- endfor -%}
    {%- if rest.periods > 0 %},

rates_{{ step + 1 }} as (
    select
        first_half.from_state,
        second_half.to_state,
        cast(
            sum(cast(first_half.rate * second_half.rate as {{ exact }}))
            as {{ type_double() }}
        ) as rate
    from rates_{{ step }} as first_half
    inner join rates_{{ step }} as second_half
        on first_half.to_state = second_half.from_state
    group by first_half.from_state, second_half.to_state
)
    {%- endif -%}
{%- endfor %}

select
    state,
    state_value
from {{ rest.reached }}
{%- endmacro %}
