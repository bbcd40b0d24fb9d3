-- How many customers of each tier each method had called what, on the window from the
-- train to the live cutoff, which none had seen. A method that has no tier for somebody
-- is not judged.
with

predictions as (
    select
        {% for tier_method in tier_methods() %}
        {{ tier_method }}_tier,
        {% endfor %}
        actual_tier
    from {{ ref('int_value_rule_predictions') }}
),

counted as (
    {% for tier_method in tier_methods() %}
    select
        '{{ tier_method }}' as tier_method,
        actual_tier,
        {{ tier_method }}_tier as predicted_tier,
        count(*) as customer_count
    from predictions
    group by actual_tier, {{ tier_method }}_tier
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

judged as (
    select
        tier_method,
        sum(customer_count) as all_count
    from counted
    group by tier_method
    having count(*) = count(predicted_tier)
),

tiers as (
    {% for tier in ['high', 'medium', 'low'] %}
    select '{{ tier }}' as tier
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        judged.tier_method,
        actual_tiers.tier as actual_tier,
        predicted_tiers.tier as predicted_tier,
        cast(coalesce(counted.customer_count, 0) as bigint) as customer_count,
        {{ ratio('coalesce(counted.customer_count, 0)', 'judged.all_count') }}
            as customer_rate
    from judged
    cross join tiers as actual_tiers
    cross join tiers as predicted_tiers
    left join counted
        on
            judged.tier_method = counted.tier_method
            and actual_tiers.tier = counted.actual_tier
            and predicted_tiers.tier = counted.predicted_tier
)

select * from final
