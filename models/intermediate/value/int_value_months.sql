-- The margin to expect of a channel's tier in each month of the horizon, from which its
-- residual value is discounted: margin per purchase x P(alive) x expected purchases x
-- season, over the champion's processes. P(alive) is the history's; what who is still
-- a customer will buy depends on frequency and age alone, so that the months come in
-- after the recencies have been added up.
with

margins as (
    select
        channel_shown,
        tier_shown,
        customer_group,
        frequency,
        recency_days,
        age_days,
        margin_per_purchase
    from {{ ref('int_purchase_histories_tiered') }}
),

scored as {{ inlined() }} (
    select
        customer_group,
        process,
        frequency,
        recency_days,
        age_days,
        p_alive_rate
    from {{ ref('int_purchase_histories_scored') }}
    where cutoff = 'live'
),

weights as (
    select
        process,
        weight_rate
    from {{ ref('int_process_weights') }}
    where weight_rate > 0
),

expected as (
    select
        customer_group,
        process,
        frequency,
        age_days,
        period_number,
        expected_purchases
    from {{ ref('ml_expected_purchases') }}
    where cutoff = 'live' and draw_number = 0 and period_number > 0
),

seasons as (
    select
        period_number,
        seasonal_factor
    from {{ ref('int_seasonality') }}
    where cutoff = 'live'
),

learned as (
    select distinct
        customer_group,
        process
    from scored
),

-- of the processes that were learned for the group
shares as (
    select
        learned.customer_group,
        learned.process,
        {{ ratio(
            'weights.weight_rate',
            'sum(weights.weight_rate) over (partition by learned.customer_group)'
        ) }} as share_rate
    from learned
    inner join weights on learned.process = weights.process
),

-- the margin that a purchase of those who are still customers would bring
standing as (
    select
        margins.channel_shown,
        margins.tier_shown,
        margins.customer_group,
        scored.process,
        margins.frequency,
        margins.age_days,
        sum(cast(
            margins.margin_per_purchase * scored.p_alive_rate * shares.share_rate
            as decimal(38, 12)
        )) as standing_margin
    from margins
    inner join scored
        on
            margins.customer_group = scored.customer_group
            and margins.frequency = scored.frequency
            and margins.recency_days = scored.recency_days
            and margins.age_days = scored.age_days
    inner join shares
        on
            scored.customer_group = shares.customer_group
            and scored.process = shares.process
    group by
        margins.channel_shown,
        margins.tier_shown,
        margins.customer_group,
        scored.process,
        margins.frequency,
        margins.age_days
),

monthly as (
    select
        standing.channel_shown,
        standing.tier_shown,
        expected.period_number,
        sum(cast(
            standing.standing_margin * expected.expected_purchases as decimal(38, 12)
        )) as unseasonal_margin
    from standing
    inner join expected
        on
            standing.customer_group = expected.customer_group
            and standing.process = expected.process
            and standing.frequency = expected.frequency
            and standing.age_days = expected.age_days
    group by
        standing.channel_shown,
        standing.tier_shown,
        expected.period_number
),

final as (
    select
        monthly.channel_shown,
        monthly.tier_shown,
        monthly.period_number,
        monthly.unseasonal_margin * seasons.seasonal_factor as expected_margin,
        cast(monthly.unseasonal_margin as {{ type_double() }})
            as unseasonal_margin
    from monthly
    -- the seasons of the first year come back every year
    inner join seasons
        on seasons.period_number = mod(monthly.period_number - 1, 12) + 1
)

select * from final
