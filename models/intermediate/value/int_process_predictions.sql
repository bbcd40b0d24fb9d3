-- What the champion and the processes expected of each customer known at the test and
-- train cutoffs, for the window until the next one. The champion's total is corrected
-- by the season of the window, which was learned before it; beside it stands what it
-- said without. On the test cutoff's window, which chose it, the champion is no
-- prediction.
with

purchases as (
    select
        cutoff,
        customer_id,
        bg_nbd_purchases,
        mbg_nbd_purchases,
        pareto_nbd_purchases,
        average_purchases
    from {{ ref('int_process_purchases') }}
),

champion as (
    select max(champion) as champion
    from {{ ref('int_process_weights') }}
),

seasons as (
    select
        cutoff,
        seasonal_factor
    from {{ ref('int_seasonality') }}
    where period_number = 1
),

features as (
    select
        cutoff,
        customer_id,
        frequency,
        cast(mean_repeat_amount as {{ type_double() }}) as mean_repeat_amount
    from {{ ref('int_customer_features') }}
    where cutoff in ('test', 'train')
),

spends as (
    select
        cutoff,
        p,
        q,
        v
    from {{ ref('ml_spend_process') }}
),

chosen as (
    select
        purchases.cutoff,
        purchases.customer_id,
        purchases.bg_nbd_purchases,
        purchases.mbg_nbd_purchases,
        purchases.pareto_nbd_purchases,
        case champion.champion
            when 'bg_nbd' then purchases.bg_nbd_purchases
            when 'mbg_nbd' then purchases.mbg_nbd_purchases
            when 'pareto_nbd' then purchases.pareto_nbd_purchases
            else purchases.average_purchases
        end as champion_uncorrected_purchases
    from purchases
    cross join champion
),

final as (
    select
        chosen.cutoff,
        chosen.customer_id,
        features.frequency,
        chosen.bg_nbd_purchases,
        chosen.mbg_nbd_purchases,
        chosen.pareto_nbd_purchases,
        chosen.champion_uncorrected_purchases,
        chosen.champion_uncorrected_purchases * seasons.seasonal_factor
            as champion_purchases,
        {{ gamma_gamma_expected_spend(
            'spends.p', 'spends.q', 'spends.v', 'features.frequency',
            'features.mean_repeat_amount'
        ) }} as expected_spend
    from chosen
    inner join features
        on
            chosen.cutoff = features.cutoff
            and chosen.customer_id = features.customer_id
    left join seasons on chosen.cutoff = seasons.cutoff
    left join spends on chosen.cutoff = spends.cutoff
)

select * from final
