-- The cluster of each buyer on the evening of the live cutoff: the one whose centroid
-- is nearest to the buyer's traits, on the scale on which it was learned. Of equally
-- near ones the one with the lower number. No rows where no clusters could be learned.
{%- set cluster_numbers = range(1, 9) %}

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

learned as (
    select
        cluster_count,
        cluster_number,
        trait,
        is_logarithm,
        mean,
        standard_deviation,
        deviation_limit,
        centroid
    from {{ ref('ml_customer_clusters') }}
    where is_chosen
),

named as (
    select
        cluster_number,
        cluster_name
    from {{ ref('int_clusters_named') }}
),

-- All that was learned in one row, so that customers are not multiplied by it. A trait
-- that was left out has no scale and no centroids, and adds nothing to any distance.
wide as (
    select
        {% for trait in cluster_traits() -%}
        max(case when trait = '{{ trait }}' and is_logarithm then 1 else 0 end) = 1
            as {{ trait }}_is_logarithm,
        max(case when trait = '{{ trait }}' then mean end) as {{ trait }}_mean,
        max(case when trait = '{{ trait }}' then standard_deviation end)
            as {{ trait }}_deviation,
        {% for number in cluster_numbers -%}
        max(
            case
                when trait = '{{ trait }}' and cluster_number = {{ number }}
                    then centroid
            end
        ) as {{ trait }}_{{ number }},
        {% endfor -%}
        {% endfor -%}
        max(deviation_limit) as deviation_limit,
        max(cluster_count) as cluster_count
    from learned
    having count(*) > 0
),

standardised as (
    select
        traits.customer_id,
        {% for trait in cluster_traits() -%}
        greatest(
            -wide.deviation_limit,
            least(
                wide.deviation_limit,
                {{ standardised_trait(
                    'traits.' ~ trait,
                    'wide.' ~ trait ~ '_is_logarithm',
                    'wide.' ~ trait ~ '_mean',
                    'wide.' ~ trait ~ '_deviation'
                ) }}
            )
        ) as {{ trait }},
        {% for number in cluster_numbers -%}
        wide.{{ trait }}_{{ number }},
        {% endfor -%}
        {% endfor -%}
        wide.cluster_count
    from traits
    cross join wide
),

measured as (
    select
        {% for number in cluster_numbers -%}
        {% set centroid = [] -%}
        {% for trait in cluster_traits() -%}
        {% do centroid.append(trait ~ '_' ~ number) -%}
        {% endfor -%}
        case
            when cluster_count >= {{ number }}
                then {{ squared_distance(cluster_traits(), centroid) }}
        end as distance_{{ number }},
        {% endfor -%}
        customer_id
    from standardised
),

compared as (
    select
        measured.*,
        -- a cluster that does not exist is never nearer than the first
        least(
            {% for number in cluster_numbers if number > 1 -%}
            coalesce(measured.distance_{{ number }}, measured.distance_1),
            {% endfor -%}
            measured.distance_1
        ) as least_distance
    from measured
),

assigned as (
    select
        customer_id,
        case
            {% for number in cluster_numbers -%}
            when distance_{{ number }} = least_distance then {{ number }}
            {% endfor %}
        end as cluster_number
    from compared
),

final as (
    select
        assigned.customer_id,
        named.cluster_number,
        named.cluster_name
    from assigned
    inner join named on assigned.cluster_number = named.cluster_number
)

select * from final
