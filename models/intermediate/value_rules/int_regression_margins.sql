-- The margin that the linear regression expects of a customer in the window after a
-- cutoff, learned from the window before it: of everyone at the live cutoff, of the
-- sample at the train cutoff. A straight line may fall below nothing, and so may a
-- margin.
{% set terms = ['frequency', 'recency_days', 'age_days', 'purchase_revenue_amount'] %}

with

features as (
    select
        {% for term in terms %}
        {{ term }},
        {% endfor %}
        cutoff,
        customer_id
    from {{ ref('int_customer_features') }}
    where cutoff in ('train', 'live')
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

learned as (
    select
        case cutoff when 'test' then 'train' else 'live' end as cutoff,
        term,
        coefficient
    from {{ ref('ml_value_regression') }}
    where target = 'margin'
),

lines as (
    select
        {% for term in terms %}
        max(case when term = '{{ term }}' then coefficient end) as by_{{ term }},
        {% endfor %}
        max(case when term = 'intercept' then coefficient end) as intercept,
        cutoff
    from learned
    group by cutoff
),

final as (
    select
        features.cutoff,
        features.customer_id,
        lines.intercept
        {% for term in terms %}
        + lines.by_{{ term }} * cast(features.{{ term }} as {{ type_double() }})
        {% endfor %}
            as regression_margin
    from features
    inner join lines on features.cutoff = lines.cutoff
    left join sampled on features.customer_id = sampled.customer_id
    where features.cutoff = 'live' or sampled.customer_id is not null
)

select * from final
