-- Whom clusters are learned from: buyers of the sample, as they are on the evening of
-- the live cutoff. Nothing is predicted, so that no later window is kept back.
with

traits as (
    select
        {% for trait in cluster_traits() %}
        {{ trait }},
        {% endfor %}
        customer_id
    from {{ ref('int_customer_traits') }}
    -- who has a contract only, and never bought, has no such amount
    where cutoff = 'live' and mean_purchase_amount > 0
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

final as (
    select
        {% for trait in cluster_traits() %}
        traits.{{ trait }},
        {% endfor %}
        traits.customer_id
    from traits
    inner join sampled on traits.customer_id = sampled.customer_id
)

select * from final
