-- All that a purchase process can be learned from: how many customers have the same
-- history. The newcomer's (nothing since a first purchase today) is always among them,
-- so that what a new customer is worth is scored like everyone else.
with

histories as {{ inlined() }} (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_histories') }}
),

-- small channels count in 'all channels', which the model sums over every group
counted as (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days,
        1 as customer_count
    from histories

    union all

    select distinct
        cutoff,
        customer_group,
        0 as frequency,
        0 as recency_days,
        0 as age_days,
        0 as customer_count
    from histories

    union all

    select distinct
        cutoff,
        'all channels' as customer_group,
        0 as frequency,
        0 as recency_days,
        0 as age_days,
        0 as customer_count
    from histories
),

final as (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days,
        cast(sum(customer_count) as bigint) as customer_count
    from counted
    group by cutoff, customer_group, frequency, recency_days, age_days
)

select * from final
