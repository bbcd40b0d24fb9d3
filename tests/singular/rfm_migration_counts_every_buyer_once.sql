-- Everyone who is in a segment at the later cutoff arrived there once, and everyone who
-- was in one at the earlier cutoff left it once.
with

moves as (
    select
        from_cutoff,
        to_cutoff,
        from_segment,
        to_segment,
        customer_count,
        migration_rate
    from {{ ref('fct_rfm_migration') }}
),

buyers as (
    select
        cutoff,
        rfm_segment,
        count(*) as customer_count
    from {{ ref('int_customer_rfm') }}
    group by cutoff, rfm_segment
),

arrived as (
    select
        to_cutoff as cutoff,
        to_segment as rfm_segment,
        sum(customer_count) as customer_count
    from moves
    group by to_cutoff, to_segment
),

departed as (
    select
        from_cutoff as cutoff,
        from_segment as rfm_segment,
        sum(customer_count) as customer_count,
        sum(migration_rate) as migration_rate
    from moves
    group by from_cutoff, from_segment
),

final as (
    select
        buyers.cutoff,
        buyers.rfm_segment,
        buyers.customer_count,
        arrived.customer_count as moved_count
    from buyers
    left join arrived
        on
            buyers.cutoff = arrived.cutoff
            and buyers.rfm_segment = arrived.rfm_segment
    where
        buyers.cutoff in (select moves.to_cutoff from moves)
        and buyers.customer_count is distinct from arrived.customer_count

    union all

    select
        buyers.cutoff,
        buyers.rfm_segment,
        buyers.customer_count,
        departed.customer_count as moved_count
    from buyers
    left join departed
        on
            buyers.cutoff = departed.cutoff
            and buyers.rfm_segment = departed.rfm_segment
    where
        buyers.cutoff in (select moves.from_cutoff from moves)
        and buyers.customer_count is distinct from departed.customer_count

    union all

    select
        cutoff,
        rfm_segment,
        customer_count,
        cast(null as bigint) as moved_count
    from departed
    where abs(migration_rate - 1) > 1e-9
)

select * from final
