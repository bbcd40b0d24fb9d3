-- The removal effect of a channel (Anderl et al. 2016): the share of conversions that
-- would be lost if whoever comes to it were lost there, of all orders and of first
-- orders. Each chain is solved for its 49 channels with most touches; the others are
-- one state of it and share its effect by touches.
{% set state_count = 50 %}
{% set path_scopes = ['all_orders', 'first_orders'] %}

with

transitions as (
    select
        path_scope,
        from_kind,
        from_channel,
        to_kind,
        to_channel,
        transition_count
    from {{ ref('int_channel_transitions') }}
),

channels as (
    select
        path_scope,
        channel,
        touch_count,
        row_number() over (
            partition by path_scope
            order by -touch_count, channel
        ) as channel_rank
    from (
        select
            path_scope,
            from_channel as channel,
            sum(transition_count) as touch_count
        from transitions
        where from_kind = 'channel'
        group by path_scope, from_channel
    ) as counted
),

numbered as (
    select
        path_scope,
        channel,
        touch_count,
        case
            when channel_rank < {{ state_count }} then channel_rank
            else {{ state_count }}
        end as channel_number
    from channels
),

shared as (
    select
        path_scope,
        channel,
        touch_count,
        channel_number,
        {{ ratio(
            'touch_count',
            'sum(touch_count) over (partition by path_scope, channel_number)'
        ) }} as state_share
    from numbered
),

numbered_transitions as (
    select
        transitions.path_scope,
        -- 0 is the start where a path comes from, the conversion where it goes to
        coalesce(from_channels.channel_number, 0) as from_number,
        case
            when transitions.to_kind = 'conversion' then 0
            else to_channels.channel_number
        end as to_number,
        transitions.transition_count
    from transitions
    left join numbered as from_channels
        on
            transitions.from_kind = 'channel'
            and transitions.path_scope = from_channels.path_scope
            and transitions.from_channel = from_channels.channel
    left join numbered as to_channels
        on
            transitions.to_kind = 'channel'
            and transitions.path_scope = to_channels.path_scope
            and transitions.to_channel = to_channels.channel
),

{% for path_scope in path_scopes %}
transitions_of_{{ path_scope }} as (
    select
        from_number,
        to_number,
        transition_count
    from numbered_transitions
    where path_scope = '{{ path_scope }}'
),

effects_of_{{ path_scope }} as (
    {{ removal_effects('transitions_of_' ~ path_scope, state_count) }}
),
{% endfor %}
effects as (
    {%- for path_scope in path_scopes %}
    select
        '{{ path_scope }}' as path_scope,
        channel_number,
        conversion_rate,
        conversion_rate_without,
        removal_effect_rate
    from effects_of_{{ path_scope }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        shared.path_scope,
        shared.channel,
        cast(shared.touch_count as bigint) as touch_count,
        effects.conversion_rate,
        effects.conversion_rate_without,
        effects.removal_effect_rate * shared.state_share as removal_effect_rate
    from shared
    inner join effects
        on
            shared.path_scope = effects.path_scope
            and shared.channel_number = effects.channel_number
)

select * from final
