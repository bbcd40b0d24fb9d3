-- How customers move from channel to channel until they order or are lost: the counts
-- behind two Markov chains. That of all orders has every path, that of first orders
-- those of people who had not ordered yet: what wins a customer is not what brings one
-- back, and most orders are repeat orders. Only paths whose window has passed since
-- their first touch count, converted or not: among younger ones those that converted at
-- once are known and those that will later are not, which would flatter every channel.
with

touches as (
    select
        channel,
        next_channel,
        path_outcome,
        is_before_first_order,
        is_path_start
    from {{ ref('int_attribution_touches') }}
    where is_window_over
),

moves as (
    select
        channel,
        next_channel,
        path_outcome,
        is_before_first_order,
        is_path_start,
        count(*) as transition_count
    from touches
    group by channel, next_channel, path_outcome, is_before_first_order, is_path_start
),

scoped_moves as (
    select
        'all_orders' as path_scope,
        channel,
        next_channel,
        path_outcome,
        is_path_start,
        transition_count
    from moves

    union all

    select
        'first_orders' as path_scope,
        channel,
        next_channel,
        path_outcome,
        is_path_start,
        transition_count
    from moves
    where is_before_first_order
),

transitions as (
    select
        path_scope,
        'start' as from_kind,
        'start' as from_channel,
        'channel' as to_kind,
        channel as to_channel,
        transition_count
    from scoped_moves
    where is_path_start

    union all

    select
        path_scope,
        'channel' as from_kind,
        channel as from_channel,
        case
            when next_channel is not null then 'channel'
            when path_outcome = 'converted' then 'conversion'
            else 'loss'
        end as to_kind,
        coalesce(
            next_channel,
            case when path_outcome = 'converted' then 'conversion' else 'loss' end
        ) as to_channel,
        transition_count
    from scoped_moves
),

final as (
    select
        path_scope,
        from_kind,
        from_channel,
        to_kind,
        to_channel,
        cast(sum(transition_count) as bigint) as transition_count,
        {{ ratio(
            'sum(transition_count)',
            'sum(sum(transition_count)) over ('
            ~ 'partition by path_scope, from_kind, from_channel)'
        ) }} as move_rate
    from transitions
    group by path_scope, from_kind, from_channel, to_kind, to_channel
)

select * from final
