-- How fast each customer is lost compared with the average one, by what was known at
-- the start: the logarithm of the hazard ratio, coefficient x (trait - its mean) summed
-- over traits, shrunken by what the model would lose with other customers. A level that
-- was not seen, or too rarely, counts as `other`.
{% set texts = survival_text_traits() %}
{% set amounts = survival_amount_traits() %}

with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

learned as (
    select
        cutoff,
        relationship,
        survival_trait,
        trait_level,
        hazard_coefficient * shrinkage_rate as coefficient,
        trait_mean
    from {{ ref('ml_survival_model') }}
),

-- sums of decimals are the same in any order of rows
averages as (
    select
        cutoff,
        relationship,
        {% for trait in amounts %}
        max(case when survival_trait = '{{ trait }}' then coefficient end)
            as {{ trait }}_effect,
        {% endfor %}
        {% for trait in texts %}
        max(
            case
                when survival_trait = '{{ trait }}' and trait_level = 'other'
                    then coefficient
            end
        ) as {{ trait }}_other_effect,
        {% endfor %}
        cast(
            sum(cast(coefficient * trait_mean as decimal(38, 16)))
            as {{ type_double() }}
        ) as mean_effect
    from learned
    group by cutoff, relationship
),

traits as (
    select
        customer_id,
        relationship,
        {% for trait in texts + amounts %}
        {{ trait }},
        {% endfor %}
        lifetime_start_date
    from {{ ref('int_survival_traits') }}
),

known as (
    select
        cutoffs.cutoff,
        traits.*
    from traits
    inner join cutoffs on traits.lifetime_start_date <= cutoffs.cutoff_date
    left join sampled on traits.customer_id = sampled.customer_id
    where
        cutoffs.cutoff = 'live'
        or (cutoffs.cutoff = 'train' and sampled.customer_id is not null)
),

final as (
    select
        known.cutoff,
        known.customer_id,
        known.relationship,
        {% for trait in texts %}
        {{ '+ ' if not loop.first }}coalesce(
            {{ trait }}_levels.coefficient, averages.{{ trait }}_other_effect, 0
        )
        {% endfor %}
        {% for trait in amounts %}
        + coalesce(averages.{{ trait }}_effect, 0)
        * ln(1 + greatest(known.{{ trait }}, 0))
        {% endfor %}
        - averages.mean_effect as log_hazard_ratio
    from known
    inner join averages
        on
            known.cutoff = averages.cutoff
            and known.relationship = averages.relationship
    {% for trait in texts %}
    left join learned as {{ trait }}_levels
        on
            known.cutoff = {{ trait }}_levels.cutoff
            and known.relationship = {{ trait }}_levels.relationship
            and {{ trait }}_levels.survival_trait = '{{ trait }}'
            and known.{{ trait }} = {{ trait }}_levels.trait_level
    {% endfor %}
)

select * from final
