{#- Removal effects of a Markov chain. Documented in _statistics__attribution__macros.yml.
    The sweep operator turns the matrix of a system of equations into its solution, one
    pivot at a time, by products of two entries: no sums, so that the result does not
    depend on the order of rows, and no join of the matrix with itself. With 1 - Q for
    the moves between channels, -r (column 0) for those to a conversion and -s (row 0)
    for those from the start, the swept matrix holds N = inverse of (1 - Q), -N r,
    s N and -s N r. Pivots stay above 0 as long as every path ends. -#}
{% macro removal_effects(transitions, channel_count) -%}
with

states as (
    select distinct state_number
    from (
        select from_number as state_number from {{ transitions }}
        where from_number > 0
        union all
        select to_number as state_number from {{ transitions }}
        where to_number > 0
        union all
        select 0 as state_number
    ) as numbers
),

leaving as (
    select
        from_number,
        sum(transition_count) as leaving_count
    from {{ transitions }}
    group by from_number
),

rates as (
    select
        transitions.from_number,
        transitions.to_number,
        {{ ratio('sum(transitions.transition_count)', 'max(leaving.leaving_count)') }}
            as transition_rate
    from {{ transitions }} as transitions
    inner join leaving on transitions.from_number = leaving.from_number
    group by transitions.from_number, transitions.to_number
),

matrix_0 as (
    select
        from_states.state_number as i,
        to_states.state_number as j,
        case
            when from_states.state_number > 0
                and from_states.state_number = to_states.state_number
                then 1 - coalesce(rates.transition_rate, 0)
            else -coalesce(rates.transition_rate, 0)
        end as entry
    from states as from_states
    cross join states as to_states
    left join rates
        on from_states.state_number = rates.from_number
        and to_states.state_number = rates.to_number
),
{{ sweep_steps(channel_count) }}
solved as (
    select
        j as channel_number,
        max(case when i = 0 then entry end) as visits,
        max(case when i = j then entry end) as returns
    from matrix_{{ channel_count }}
    where j > 0
    group by j
),

conversions as (
    select
        i as channel_number,
        -entry as conversion_rate
    from matrix_{{ channel_count }}
    where j = 0
)

select
    solved.channel_number,
    overall.conversion_rate,
    -- who never comes by the channel converts as before
    case
        when solved.visits * conversions.conversion_rate / solved.returns
            < overall.conversion_rate
            then
                overall.conversion_rate
                - solved.visits * conversions.conversion_rate / solved.returns
        else 0
    end as conversion_rate_without,
    case
        when solved.visits * conversions.conversion_rate / solved.returns
            < overall.conversion_rate
            then {{ ratio(
                'solved.visits * conversions.conversion_rate / solved.returns',
                'overall.conversion_rate'
            ) }}
        when overall.conversion_rate > 0 then 1
    end as removal_effect_rate
from solved
inner join conversions on solved.channel_number = conversions.channel_number
cross join (
    select conversion_rate from conversions where channel_number = 0
) as overall
{%- endmacro %}
