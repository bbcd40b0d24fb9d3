-- The decision tree applied: each customer walks from the root to a leaf, to the left
-- where the trait that the node asks for is at or below its threshold. What was learned
-- from the window before is asked at the cutoff after it.
{% set depth = 4 %}

with

nodes as (
    select
        case cutoff when 'test' then 'train' else 'live' end as cutoff,
        node_number,
        trait_name,
        threshold,
        left_node,
        right_node,
        rule_number,
        tier,
        is_leaf
    from {{ ref('ml_value_model') }}
    where learner = 'tree'
),

walked_0 as (
    select
        cutoff,
        customer_id,
        {% for trait in numeric_traits() %}
        {{ trait }},
        {% endfor %}
        0 as node_number
    from {{ ref('int_customer_traits') }}
    where cutoff in ('train', 'live') and mean_purchase_amount > 0
),

{% for step in range(1, depth + 1) %}
walked_{{ step }} as (
    select
        walked_{{ step - 1 }}.cutoff,
        walked_{{ step - 1 }}.customer_id,
        {% for trait in numeric_traits() %}
        walked_{{ step - 1 }}.{{ trait }},
        {% endfor %}
        case
            when nodes.is_leaf then nodes.node_number
            when
                case nodes.trait_name
                    {% for trait in numeric_traits() %}
                    when '{{ trait }}' then walked_{{ step - 1 }}.{{ trait }}
                    {% endfor %}
                end <= nodes.threshold
                then nodes.left_node
            else nodes.right_node
        end as node_number
    from walked_{{ step - 1 }}
    inner join nodes
        on
            walked_{{ step - 1 }}.cutoff = nodes.cutoff
            and walked_{{ step - 1 }}.node_number = nodes.node_number
),

{% endfor %}
final as (
    select
        walked_{{ depth }}.cutoff,
        walked_{{ depth }}.customer_id,
        nodes.rule_number,
        nodes.tier as rule_tier
    from walked_{{ depth }}
    inner join nodes
        on
            walked_{{ depth }}.cutoff = nodes.cutoff
            and walked_{{ depth }}.node_number = nodes.node_number
)

select * from final
