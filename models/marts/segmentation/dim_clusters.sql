-- What the clusters are like: their names, how many buyers are in each on the evening
-- of the live cutoff, what these have brought and may still bring, and their mean
-- traits. No row may speak of a person: a cluster with too few buyers shows no figures,
-- and if those with too few are too few together, nor does the next smallest, or theirs
-- would be what the total has and the other rows have not.
{%- set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}
{%- set means = {
    'frequency': 'mean_frequency',
    'days_since_last_purchase': 'mean_days_since_last_purchase',
    'age_days': 'mean_age_days',
    'mean_purchase_amount': 'mean_basket_amount',
    'margin_rate': 'mean_margin_rate',
    'gap_variation': 'mean_gap_variation',
    'main_channel_rate': 'mean_main_channel_rate',
    'satisfaction_score': 'mean_satisfaction_score',
} %}

with

clusters as (
    select
        cluster_number,
        cluster_name
    from {{ ref('int_clusters_named') }}
),

learned as (
    select
        cluster_number,
        cluster_count,
        customer_count,
        silhouette,
        rand_index_seeds,
        rand_index_halves,
        explained_rate
    from {{ ref('ml_customer_clusters') }}
    where is_chosen
    group by
        cluster_number,
        cluster_count,
        customer_count,
        silhouette,
        rand_index_seeds,
        rand_index_halves,
        explained_rate
),

members as (
    select
        customer_id,
        cluster_number
    from {{ ref('int_customer_clusters') }}
),

customer_values as (
    select
        customer_id,
        historic_revenue_amount,
        historic_margin_amount,
        residual_value_amount,
        lifetime_value_amount
    from {{ ref('fct_customer_value') }}
),

traits as (
    select
        {% for trait in means -%}
        -- a decimal: its sum does not depend on the order of the rows
        cast({{ trait }} as decimal(38, 12)) as {{ trait }},
        {% endfor -%}
        customer_id
    from {{ ref('int_customer_traits') }}
    where cutoff = 'live'
),

summed as (
    select
        members.cluster_number,
        count(*) as customer_count,
        sum(customer_values.historic_revenue_amount) as revenue_amount,
        sum(customer_values.historic_margin_amount) as margin_amount,
        count(customer_values.lifetime_value_amount) as valued_customer_count,
        sum(customer_values.residual_value_amount) as residual_value_amount,
        {% for trait in means -%}
        sum(traits.{{ trait }}) as {{ trait }},
        {% endfor -%}
        sum(customer_values.lifetime_value_amount) as value_amount
    from members
    inner join traits on members.customer_id = traits.customer_id
    left join customer_values on members.customer_id = customer_values.customer_id
    group by members.cluster_number
),

queued as (
    select
        summed.*,
        sum(summed.customer_count) over (
            order by summed.customer_count, summed.cluster_number
            rows between unbounded preceding and 1 preceding
        ) as customers_before_count,
        sum(summed.customer_count) over () as all_customer_count,
        sum(summed.value_amount) over () as all_value_amount
    from summed
),

shown as (
    select queued.*
    from queued
    where
        queued.customer_count >= {{ minimum }}
        and coalesce(queued.customers_before_count, {{ minimum }}) >= {{ minimum }}
),

final as (
    select
        clusters.cluster_number,
        clusters.cluster_name,
        cast(shown.customer_count as bigint) as customer_count,
        {{ ratio('shown.customer_count', 'shown.all_customer_count') }}
            as share_of_buyers_rate,
        {{ money('shown.revenue_amount') }} as revenue_amount,
        {{ money('shown.margin_amount') }} as margin_amount,
        {{ money(ratio(
            'shown.residual_value_amount', 'shown.valued_customer_count'
        )) }} as mean_residual_value_amount,
        {{ money(ratio('shown.value_amount', 'shown.valued_customer_count')) }}
            as mean_lifetime_value_amount,
        {{ money('shown.value_amount') }} as value_amount,
        {{ ratio(
            'shown.value_amount',
            'case when shown.all_value_amount > 0 then shown.all_value_amount end'
        ) }} as share_of_value_rate,
        {% for trait, column in means.items() -%}
        {% set mean = ratio('shown.' ~ trait, 'shown.customer_count') -%}
        {{ money(mean) if column.endswith('_amount') else mean }} as {{ column }},
        {% endfor -%}
        cast(learned.cluster_count as bigint) as cluster_count,
        cast(learned.customer_count as bigint) as sample_customer_count,
        learned.silhouette,
        learned.rand_index_seeds,
        learned.rand_index_halves,
        learned.explained_rate,
        shown.cluster_number is null as is_suppressed
    from clusters
    inner join learned on clusters.cluster_number = learned.cluster_number
    left join shown on clusters.cluster_number = shown.cluster_number
)

select * from final
