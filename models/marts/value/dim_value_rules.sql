-- The rules that the decision tree learned from the latest window that is over, in
-- words, with what became of those who met them then, and how many meet them now.
with

leaves as (
    select
        rule_number,
        condition,
        tier,
        customer_count,
        mean_margin,
        low_rate,
        medium_rate,
        high_rate
    from {{ ref('ml_value_model') }}
    where learner = 'tree' and cutoff = 'train' and is_leaf
),

words as (
    select
        {% for trait in numeric_traits() %}
        max(case when trait = '{{ trait }}' then trait_label end) as {{ trait }}_label,
        {% endfor %}
        count(*) as trait_count
    from {{ ref('trait_words') }}
),

customers as (
    select
        rule_number,
        count(*) as customer_count
    from {{ ref('int_value_rule_tiers') }}
    where cutoff = 'live'
    group by rule_number
),

final as (
    select
        cast(leaves.rule_number as bigint) as rule_number,
        {{ traits_in_words('leaves.condition', 'words') }} as rule_condition,
        leaves.tier as rule_tier,
        cast(leaves.customer_count as bigint) as learned_customer_count,
        {{ money('leaves.mean_margin') }} as mean_margin_amount,
        case leaves.tier
            when 'high' then leaves.high_rate
            when 'medium' then leaves.medium_rate
            else leaves.low_rate
        end as rule_tier_rate,
        leaves.low_rate,
        leaves.medium_rate,
        leaves.high_rate,
        cast(coalesce(customers.customer_count, 0) as bigint) as customer_count
    from leaves
    cross join words
    left join customers on leaves.rule_number = customers.rule_number
)

select * from final
