-- What value rules are learned from: what was known of a customer at an earlier cutoff,
-- and the margin of the window that followed. Who brought nothing, or less, is low,
-- however few brought more; equal margins share a tier.
with

traits as (
    select
        {% for trait in numeric_traits() %}
        {{ trait }},
        {% endfor %}
        cutoff,
        customer_id
    from {{ ref('int_customer_traits') }}
    -- a contract alone has no margin that could be seen
    where cutoff in ('test', 'train') and mean_purchase_amount > 0
),

outcomes as (
    select
        cutoff,
        customer_id,
        margin_amount
    from {{ ref('int_customer_outcomes') }}
),

labelled as (
    select
        traits.cutoff,
        traits.customer_id,
        {% for trait in numeric_traits() %}
        traits.{{ trait }},
        {% endfor %}
        {{ money('coalesce(outcomes.margin_amount, 0)') }} as margin_amount
    from traits
    left join outcomes
        on
            traits.cutoff = outcomes.cutoff
            and traits.customer_id = outcomes.customer_id
),

-- each cutoff has its own ranks
final as (
    {% for cutoff in ['test', 'train'] %}
    select
        cutoff,
        customer_id,
        {% for trait in numeric_traits() %}
        {{ trait }},
        {% endfor %}
        margin_amount,
        {{ margin_tier('margin_amount') }} as actual_tier
    from labelled
    where cutoff = '{{ cutoff }}'
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
