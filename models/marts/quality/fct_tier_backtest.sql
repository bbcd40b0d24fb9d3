-- How often each method had the right tier, on the window from the train to the live
-- cutoff, which none had seen. To call everyone low is right often and of no use: the
-- mean over the tiers (macro F1, balanced accuracy) says so.
with

confusion as (
    select
        tier_method,
        actual_tier,
        predicted_tier,
        customer_count
    from {{ ref('fct_tier_confusion') }}
),

cutoffs as (
    select
        cutoff_date,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'train'
),

actuals as (
    select
        tier_method,
        actual_tier as tier,
        sum(customer_count) as actual_count,
        sum(case when predicted_tier = actual_tier then customer_count else 0 end)
            as hit_count
    from confusion
    group by tier_method, actual_tier
),

calls as (
    select
        tier_method,
        predicted_tier as tier,
        sum(customer_count) as predicted_count
    from confusion
    group by tier_method, predicted_tier
),

-- a tier that nobody is in or is called to be in is no one's fault
scored as (
    select
        actuals.tier_method,
        actuals.tier,
        actuals.actual_count,
        actuals.hit_count,
        {{ ratio('actuals.hit_count', 'calls.predicted_count') }} as precision_rate,
        {{ ratio('actuals.hit_count', 'actuals.actual_count') }} as recall_rate,
        {{ ratio(
            '2 * actuals.hit_count', 'actuals.actual_count + calls.predicted_count'
        ) }} as f1_rate
    from actuals
    inner join calls
        on
            actuals.tier_method = calls.tier_method
            and actuals.tier = calls.tier
),

-- sums of decimals are the same in any order of rows
summed as (
    select
        tier_method,
        sum(actual_count) as customer_count,
        sum(hit_count) as hit_count,
        sum(cast(f1_rate as decimal(38, 12))) as f1_rates,
        count(f1_rate) as f1_count,
        sum(cast(recall_rate as decimal(38, 12))) as recall_rates,
        count(recall_rate) as recall_count,
        max(case when tier = 'high' then precision_rate end) as high_precision_rate,
        max(case when tier = 'high' then recall_rate end) as high_recall_rate
    from scored
    group by tier_method
),

methods as (
    {% for tier_method in tier_methods() %}
    select '{{ tier_method }}' as tier_method
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        methods.tier_method,
        cutoffs.cutoff_date,
        cutoffs.holdout_days,
        cast(coalesce(summed.customer_count, 0) as bigint) as customer_count,
        {{ ratio('summed.hit_count', 'summed.customer_count') }} as accuracy_rate,
        {{ ratio('summed.f1_rates', 'summed.f1_count') }} as macro_f1_rate,
        {{ ratio('summed.recall_rates', 'summed.recall_count') }}
            as balanced_accuracy_rate,
        summed.high_precision_rate,
        summed.high_recall_rate,
        summed.customer_count is not null as has_all_tiers
    from methods
    cross join cutoffs
    left join summed on methods.tier_method = summed.tier_method
)

select * from final
