-- Ranks the buyers of each cutoff by recency, frequency and revenue. A score tells what
-- share of them is at or below a customer (cume_dist): equal values have equal scores,
-- whatever the order of the rows. Who bought once shares one frequency score with
-- everyone else who did, often a high one; to be called by an honest name they stand in
-- a frequency class of their own, 0.
{% set bins = setting_number('rfm_bins', minimum=2, maximum=9, whole=true) %}

with

features as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        cutoff_date,
        days_since_last_purchase,
        purchase_count,
        revenue_amount
    from {{ ref('int_customer_features') }}
),

segments as (
    select
        recency_score,
        frequency_class,
        rfm_segment
    from {{ ref('rfm_segments') }}
),

-- Counted per value first: to rank values is cheaper than to rank customers.
recency_counts as (
    select
        cutoff,
        days_since_last_purchase,
        sum(count(*)) over (
            partition by cutoff order by days_since_last_purchase desc
        ) as reached_count,
        sum(count(*)) over (partition by cutoff) as buyer_count
    from features
    group by cutoff, days_since_last_purchase
),

frequency_counts as (
    select
        cutoff,
        purchase_count,
        sum(count(*)) over (
            partition by cutoff order by purchase_count
        ) as reached_count,
        sum(count(*)) over (partition by cutoff) as buyer_count
    from features
    group by cutoff, purchase_count
),

monetary_counts as (
    select
        cutoff,
        revenue_amount,
        sum(count(*)) over (
            partition by cutoff order by revenue_amount
        ) as reached_count,
        sum(count(*)) over (partition by cutoff) as buyer_count
    from features
    group by cutoff, revenue_amount
),

-- Whole numbers, divided once: nothing is rounded across the border of a score.
recency_scores as (
    select
        cutoff,
        days_since_last_purchase,
        cast(ceil({{ ratio('reached_count * ' ~ bins, 'buyer_count') }}) as integer)
            as recency_score
    from recency_counts
),

frequency_scores as (
    select
        cutoff,
        purchase_count,
        cast(ceil({{ ratio('reached_count * ' ~ bins, 'buyer_count') }}) as integer)
            as frequency_score
    from frequency_counts
),

monetary_scores as (
    select
        cutoff,
        revenue_amount,
        cast(ceil({{ ratio('reached_count * ' ~ bins, 'buyer_count') }}) as integer)
            as monetary_score
    from monetary_counts
),

scored as (
    select
        features.*,
        recency_scores.recency_score,
        frequency_scores.frequency_score,
        monetary_scores.monetary_score,
        -- The map knows fifths: the one in which the middle of the score's range lies.
        cast(ceil({{ ratio(
            '5 * (2 * recency_scores.recency_score - 1)', '2 * ' ~ bins
        ) }}) as integer) as recency_fifth,
        case
            when features.purchase_count = 1 then 0
            else cast(ceil({{ ratio(
                '5 * (2 * frequency_scores.frequency_score - 1)', '2 * ' ~ bins
            ) }}) as integer)
        end as frequency_class
    from features
    inner join recency_scores
        on
            features.cutoff = recency_scores.cutoff
            and features.days_since_last_purchase
            = recency_scores.days_since_last_purchase
    inner join frequency_scores
        on
            features.cutoff = frequency_scores.cutoff
            and features.purchase_count = frequency_scores.purchase_count
    inner join monetary_scores
        on
            features.cutoff = monetary_scores.cutoff
            and features.revenue_amount = monetary_scores.revenue_amount
),

final as (
    select
        scored.cutoff,
        scored.customer_id,
        scored.cutoff_date,
        segments.rfm_segment,
        cast(scored.recency_score as {{ dbt.type_string() }})
        || cast(scored.frequency_score as {{ dbt.type_string() }})
        || cast(scored.monetary_score as {{ dbt.type_string() }}) as rfm_score,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        scored.frequency_class,
        scored.days_since_last_purchase,
        scored.purchase_count,
        scored.revenue_amount
    from scored
    left join segments
        on
            scored.recency_fifth = segments.recency_score
            and scored.frequency_class = segments.frequency_class
)

select * from final
