{#- The Kaplan-Meier estimate by group. Documented in _statistics__macros.yml. -#}
{% macro kaplan_meier(
    observations, duration, is_event, group_columns=[], observation_count='1'
) -%}
    {{ return(adapter.dispatch('kaplan_meier', 'customer_lifetime')(
        observations, duration, is_event, group_columns, observation_count
    )) }}
{%- endmacro %}

{% macro default__kaplan_meier(
    observations, duration, is_event, group_columns, observation_count
) -%}
{%- set groups -%}
    {%- for column in group_columns %}{{ column }}, {% endfor -%}
{%- endset -%}
{%- set partition -%}
    {%- if group_columns -%} partition by {{ group_columns | join(', ') }} {%- endif -%}
{%- endset -%}
{#- sums of decimals are exact: the same in any order of rows and on any engine -#}
{%- set exact = 'decimal(38, 24)' -%}
{#- the 97.5 % quantile of the normal distribution -#}
{%- set z_score = 1.959963984540054 -%}
with

durations_counted as (
    select
        {{ groups }}
        {{ duration }} as duration,
        sum(case when {{ is_event }} then {{ observation_count }} else 0 end)
            as event_count,
        sum(case when {{ is_event }} then 0 else {{ observation_count }} end)
            as censored_count
    from {{ observations }}
    where {{ duration }} is not null
    group by {{ groups }} {{ duration }}
),

durations_at_risk as (
    select
        {{ groups }}
        duration,
        event_count,
        censored_count,
        -- who leaves at a duration, by event or by censoring, was at risk until then
        sum(event_count + censored_count) over (
            {{ partition }} order by duration desc
            rows between unbounded preceding and current row
        ) as at_risk_count
    from durations_counted
),

durations_weighed as (
    select
        {{ groups }}
        duration,
        at_risk_count,
        event_count,
        censored_count,
        -- with everyone gone survival is 0, which has no logarithm
        event_count = at_risk_count as is_extinct,
        case when event_count < at_risk_count then
            ln(1 - {{ ratio('event_count', 'at_risk_count') }})
        end as log_share_staying,
        case when event_count < at_risk_count then
            {{ ratio('event_count', 'at_risk_count * (at_risk_count - event_count)') }}
        end as greenwood_term
    from durations_at_risk
    where at_risk_count > 0
),

durations_summed as (
    select
        {{ groups }}
        duration,
        at_risk_count,
        event_count,
        censored_count,
        is_extinct,
        case when not is_extinct then
            cast(sum(cast(log_share_staying as {{ exact }})) over (
                {{ partition }} order by duration
                rows between unbounded preceding and current row
            ) as {{ type_double() }})
        end as log_survival,
        case when not is_extinct then
            sqrt(cast(sum(cast(greenwood_term as {{ exact }})) over (
                {{ partition }} order by duration
                rows between unbounded preceding and current row
            ) as {{ type_double() }}))
        end as relative_error
    from durations_weighed
)

select
    {{ groups }}
    duration,
    cast(at_risk_count as bigint) as at_risk_count,
    cast(event_count as bigint) as event_count,
    cast(censored_count as bigint) as censored_count,
    -- 15 decimals: (3 / 4) x (2 / 3) is one half, not a hair more
    cast(
        case when is_extinct then 0 else cast(exp(log_survival) as decimal(18, 15)) end
        as {{ type_double() }}
    ) as survival_rate,
    exp(log_survival) * relative_error as survival_standard_error,
    exp(
        log_survival
        * exp(-{{ ratio(z_score ~ ' * relative_error', 'log_survival') }})
    ) as survival_rate_lower,
    exp(
        log_survival
        * exp({{ ratio(z_score ~ ' * relative_error', 'log_survival') }})
    ) as survival_rate_upper
from durations_summed
{%- endmacro %}
