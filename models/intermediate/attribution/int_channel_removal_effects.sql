-- The removal effect of a channel (Anderl et al. 2016): the share of conversions that
-- would be lost if whoever comes to it were lost there. Solved for the 49 channels with
-- most touches; the others are one state of the chain and share its effect by touches.
{% set state_count = 50 %}

with

transitions as (
    select
        from_kind,
        from_channel,
        to_kind,
        to_channel,
        transition_count
    from {{ ref('int_channel_transitions') }}
),

channels as (
    select
        channel,
        touch_count,
        row_number() over (order by -touch_count, channel) as channel_rank
    from (
        select
            from_channel as channel,
            sum(transition_count) as touch_count
        from transitions
        where from_kind = 'channel'
        group by from_channel
    ) as counted
),

numbered as (
    select
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
        channel,
        touch_count,
        channel_number,
        {{ ratio(
            'touch_count', 'sum(touch_count) over (partition by channel_number)'
        ) }} as state_share
    from numbered
),

numbered_transitions as (
    select
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
            and transitions.from_channel = from_channels.channel
    left join numbered as to_channels
        on
            transitions.to_kind = 'channel'
            and transitions.to_channel = to_channels.channel
),

effects as (
    {{ removal_effects('numbered_transitions', state_count) }}
),

final as (
    select
        shared.channel,
        cast(shared.touch_count as bigint) as touch_count,
        effects.conversion_rate,
        effects.conversion_rate_without,
        effects.removal_effect_rate * shared.state_share as removal_effect_rate
    from shared
    inner join effects on shared.channel_number = effects.channel_number
)

select * from final
