-- Where the buyers of a cutoff stood one cutoff before. Who had no purchase then comes
-- from 'no purchase yet'; nobody leaves, since who has bought stays a buyer, at worst
-- among the lost. Scores rank against everyone of the same evening, so that standing
-- still is enough to fall behind.
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

rfm as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        rfm_segment
    from {{ ref('int_customer_rfm') }}
),

steps as (
    select
        from_cutoffs.cutoff as from_cutoff,
        to_cutoffs.cutoff as to_cutoff,
        from_cutoffs.cutoff_date as from_cutoff_date,
        to_cutoffs.cutoff_date as to_cutoff_date
    from cutoffs as from_cutoffs
    inner join cutoffs as to_cutoffs
        on
            (from_cutoffs.cutoff = 'test' and to_cutoffs.cutoff = 'train')
            or (from_cutoffs.cutoff = 'train' and to_cutoffs.cutoff = 'live')
    -- in a shop of a few days the cutoffs fall on one day, and no one moves
    where from_cutoffs.cutoff_date < to_cutoffs.cutoff_date
),

moves as (
    select
        steps.from_cutoff,
        steps.to_cutoff,
        coalesce(from_rfm.rfm_segment, 'no purchase yet') as from_segment,
        to_rfm.rfm_segment as to_segment,
        steps.from_cutoff_date,
        steps.to_cutoff_date,
        count(*) as customer_count
    from steps
    inner join rfm as to_rfm on steps.to_cutoff = to_rfm.cutoff
    left join rfm as from_rfm
        on
            steps.from_cutoff = from_rfm.cutoff
            and to_rfm.customer_id = from_rfm.customer_id
    group by
        steps.from_cutoff,
        steps.to_cutoff,
        coalesce(from_rfm.rfm_segment, 'no purchase yet'),
        to_rfm.rfm_segment,
        steps.from_cutoff_date,
        steps.to_cutoff_date
),

with_totals as (
    select
        moves.*,
        sum(moves.customer_count) over (
            partition by moves.from_cutoff, moves.from_segment
        ) as from_customer_count
    from moves
),

final as (
    select
        from_cutoff,
        to_cutoff,
        from_segment,
        to_segment,
        from_cutoff_date,
        to_cutoff_date,
        cast(customer_count as bigint) as customer_count,
        cast(from_customer_count as bigint) as from_customer_count,
        {{ ratio('customer_count', 'from_customer_count') }} as migration_rate
    from with_totals
)

select * from final
