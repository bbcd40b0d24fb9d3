-- How long it took from a purchase to the next, of buyers without contract in the
-- sample, as known at a cutoff: the last purchase is followed by silence so far. A gap
-- longer than the threshold ends one stay and starts the next, so the position of a
-- purchase is counted within its stay.
with

stays as (
    select
        cutoff,
        customer_id,
        stay_number,
        cutoff_date,
        stay_from_date,
        coalesce(stay_until_date, cutoff_date) as last_date
    from {{ ref('int_survival_stays') }}
    where is_sampled and stay_contract_date is null
),

days as (
    select
        customer_id,
        activity_date,
        purchase_number
    from {{ ref('int_customer_days') }}
    where purchase_number is not null
),

purchases as (
    select
        stays.cutoff,
        stays.customer_id,
        stays.stay_number,
        stays.cutoff_date,
        days.activity_date,
        row_number() over (
            partition by stays.cutoff, stays.customer_id, stays.stay_number
            order by days.activity_date
        ) as stay_purchase_number,
        lead(days.activity_date) over (
            partition by stays.cutoff, stays.customer_id order by days.activity_date
        ) as next_date
    from stays
    inner join days
        on
            stays.customer_id = days.customer_id
            and stays.stay_from_date <= days.activity_date
            and stays.last_date >= days.activity_date
),

gaps as (
    select
        cutoff,
        {{ survival_buyer_class('stay_number', 'stay_purchase_number') }}
            as buyer_class,
        {{ days_between('activity_date', 'coalesce(next_date, cutoff_date)') }}
            as gap_days,
        next_date is not null as is_followed
    from purchases
),

counted as (
    select
        cutoff,
        buyer_class,
        gap_days,
        is_followed,
        count(*) as observed_gap_count
    from gaps
    group by cutoff, buyer_class, gap_days, is_followed
),

final as (
    select
        cutoff,
        buyer_class,
        gap_days,
        is_followed,
        cast(observed_gap_count as bigint) as observed_gap_count
    from counted

    union all

    select
        cutoff,
        'all' as buyer_class,
        gap_days,
        is_followed,
        cast(sum(observed_gap_count) as bigint) as observed_gap_count
    from counted
    group by cutoff, gap_days, is_followed
)

select * from final
