-- What the random forest looks at: how much each trait's splits sort customers into
-- purer groups (the mean decrease of impurity), as a share of what all traits do. Each
-- tree has the same say.
with

nodes as (
    select
        cutoff,
        tree_number,
        node_number,
        trait_name,
        left_node,
        right_node,
        customer_count * impurity as weighted_impurity,
        is_leaf
    from {{ ref('ml_value_model') }}
    where learner = 'forest'
),

words as (
    select
        trait,
        trait_label
    from {{ ref('trait_words') }}
),

gains as (
    select
        parents.cutoff,
        parents.tree_number,
        parents.trait_name,
        count(*) as split_count,
        -- sums of decimals are the same in any order of rows
        sum(cast(
            parents.weighted_impurity
            - lefts.weighted_impurity
            - rights.weighted_impurity
            as decimal(38, 12)
        )) as gain
    from nodes as parents
    inner join nodes as lefts
        on
            parents.cutoff = lefts.cutoff
            and parents.tree_number = lefts.tree_number
            and parents.left_node = lefts.node_number
    inner join nodes as rights
        on
            parents.cutoff = rights.cutoff
            and parents.tree_number = rights.tree_number
            and parents.right_node = rights.node_number
    where not parents.is_leaf
    group by parents.cutoff, parents.tree_number, parents.trait_name
),

trees as (
    select
        cutoff,
        tree_number,
        sum(gain) as gain
    from gains
    group by cutoff, tree_number
),

by_trait as (
    select
        gains.cutoff,
        gains.trait_name,
        sum(gains.split_count) as split_count,
        sum(cast({{ ratio('gains.gain', 'trees.gain') }} as decimal(38, 12)))
            as tree_shares
    from gains
    inner join trees
        on
            gains.cutoff = trees.cutoff
            and gains.tree_number = trees.tree_number
    group by gains.cutoff, gains.trait_name
),

by_cutoff as (
    select
        cutoff,
        sum(tree_shares) as tree_shares
    from by_trait
    group by cutoff
),

traits as (
    {% for trait in numeric_traits() %}
    select '{{ trait }}' as trait_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        by_cutoff.cutoff,
        traits.trait_name,
        words.trait_label,
        coalesce({{ ratio('by_trait.tree_shares', 'by_cutoff.tree_shares') }}, 0)
            as importance_rate,
        cast(coalesce(by_trait.split_count, 0) as bigint) as split_count
    from by_cutoff
    cross join traits
    left join by_trait
        on
            by_cutoff.cutoff = by_trait.cutoff
            and traits.trait_name = by_trait.trait_name
    left join words on traits.trait_name = words.trait
)

select * from final
