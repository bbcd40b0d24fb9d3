{#- Period by period in one expression: Spark computes a CTE anew for each one that reads
    it, and every doubling of the periods would double the query. -#}
{% macro spark__markov_chain_value(transitions, rewards, rate, periods) -%}
with

states as (
    select
        state,
        cast(coalesce(reward, 0) as double) as reward,
        row_number() over (order by state) as place
    from {{ rewards }}
),

-- the chances to go from a state to each, and what all states bring, in their order
rows_of_states as (
    select
        from_states.place,
        from_states.state,
        from_states.reward,
        sort_array(collect_list(struct(
            to_states.place,
            cast(coalesce(transitions.transition_rate, 0) / (1 + {{ rate }}) as double)
                as rate
        ))).rate as rates
    from states as from_states
    cross join states as to_states
    left join {{ transitions }} as transitions
        on
            from_states.state = transitions.from_state
            and to_states.state = transitions.to_state
    group by from_states.place, from_states.state, from_states.reward
),

matrix as (
    select sort_array(collect_list(struct(place, state, reward, rates))) as in_order
    from rows_of_states
),

valued as (
    select
        in_order,
        aggregate(
            slice(sequence(0, {{ periods }}), 1, {{ periods }}),
            transform(in_order, from_state -> cast(0 as double)),
            (reached, step) -> transform(
                in_order,
                from_state -> from_state.reward + aggregate(
                    zip_with(from_state.rates, reached, (rate, worth) -> rate * worth),
                    cast(0 as double),
                    (total, part) -> total + part
                )
            )
        ) as state_values
    from matrix
)

select
    in_order[position].state as state,
    state_value
from valued
lateral view posexplode(state_values) as position, state_value
{%- endmacro %}
