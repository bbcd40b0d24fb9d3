{#- The baseline hazard of Cox's model by group. Documented in
    _statistics__survival__macros.yml. -#}
{% macro cumulative_hazard(
    observations, duration, is_event, log_hazard_ratio='0', group_columns=[]
) -%}
    {{ return(adapter.dispatch('cumulative_hazard', 'customer_lifetime')(
        observations, duration, is_event, log_hazard_ratio, group_columns
    )) }}
{%- endmacro %}

{% macro default__cumulative_hazard(
    observations, duration, is_event, log_hazard_ratio, group_columns
) -%}
{%- set groups -%}
    {%- for column in group_columns %}{{ column }}, {% endfor -%}
{%- endset -%}
{%- set partition -%}
    {%- if group_columns -%} partition by {{ group_columns | join(', ') }} {%- endif -%}
{%- endset -%}
{#- sums of decimals are exact: the same in any order of rows and on any engine -#}
{%- set exact = 'decimal(38, 16)' -%}
with

observations_weighed as (
    select
        {{ groups }}
        {{ duration }} as duration,
        case when {{ is_event }} then 1 else 0 end as is_event_number,
        cast(exp({{ log_hazard_ratio }}) as {{ exact }}) as relative_hazard
    from {{ observations }}
    where {{ duration }} is not null
),

durations_counted as (
    select
        {{ groups }}
        duration,
        count(*) as observation_count,
        sum(is_event_number) as event_count,
        sum(relative_hazard) as relative_hazard,
        sum(case when is_event_number = 1 then relative_hazard else 0 end)
            as event_hazard
    from observations_weighed
    group by {{ groups }} duration
),

durations_at_risk as (
    select
        {{ groups }}
        duration,
        event_count,
        cast(event_hazard as {{ type_double() }}) as event_hazard,
        sum(observation_count) over (
            {{ partition }} order by duration desc
            rows between unbounded preceding and current row
        ) as at_risk_count,
        cast(sum(relative_hazard) over (
            {{ partition }} order by duration desc
            rows between unbounded preceding and current row
        ) as {{ type_double() }}) as at_risk_hazard
    from durations_counted
),

-- of those lost on one day, each leaves behind those who are lost after it: on average
-- as much of the day's hazard as its turn says
events_in_turn as (
    select
        {{ groups }}
        duration,
        row_number() over (
            partition by {{ groups }} duration order by duration
        ) - 1 as events_before
    from observations_weighed
    where is_event_number = 1
),

event_days as (
    select
        {% for column in group_columns -%}
        events_in_turn.{{ column }},
        {% endfor -%}
        events_in_turn.duration,
        sum(cast({{ ratio(
            '1',
            'durations_at_risk.at_risk_hazard - durations_at_risk.event_hazard'
            ~ ' * ' ~ ratio(
                'events_in_turn.events_before', 'durations_at_risk.event_count'
            )
        ) }} as {{ exact }})) as hazard
    from events_in_turn
    inner join durations_at_risk
        on
            events_in_turn.duration = durations_at_risk.duration
            {% for column in group_columns -%}
            and events_in_turn.{{ column }} = durations_at_risk.{{ column }}
            {% endfor %}
    group by
        {% for column in group_columns -%}
        events_in_turn.{{ column }},
        {% endfor -%}
        events_in_turn.duration
)

select
    {% for column in group_columns -%}
    durations_at_risk.{{ column }},
    {% endfor -%}
    durations_at_risk.duration,
    cast(durations_at_risk.at_risk_count as bigint) as at_risk_count,
    cast(durations_at_risk.event_count as bigint) as event_count,
    cast(sum(coalesce(event_days.hazard, 0)) over (
        {% if group_columns -%}
        partition by
            {%- for column in group_columns %}
            durations_at_risk.{{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        {% endif -%}
        order by durations_at_risk.duration
        rows between unbounded preceding and current row
    ) as {{ type_double() }}) as cumulative_hazard
from durations_at_risk
left join event_days
    on
        durations_at_risk.duration = event_days.duration
        {% for column in group_columns -%}
        and durations_at_risk.{{ column }} = event_days.{{ column }}
        {% endfor %}
{%- endmacro %}
