-- What to call a cluster: up to three words for the traits in which its centre lies
-- furthest from the average buyer, the furthest first. To be worth a word a trait is at
-- least 0.3 standard deviations off, and half as far as the furthest. Gaps that vary
-- about as much as their mean (0.9 to 1.1) come about by chance, and are assumed of
-- those who bought too rarely to tell: that is no trait to speak of. Of clusters with
-- the same words the later ones carry their number.
with

centroids as (
    select
        cluster_number,
        trait,
        centroid,
        abs(centroid) as deviation,
        mean + standard_deviation * centroid as centre
    from {{ ref('ml_customer_clusters') }}
    where is_chosen
),

words as (
    select
        trait,
        above_words,
        below_words
    from {{ ref('trait_words') }}
),

speakable as (
    select
        centroids.cluster_number,
        centroids.trait,
        centroids.deviation,
        case
            when centroids.centroid > 0 then words.above_words
            else words.below_words
        end as cluster_words,
        max(centroids.deviation) over (partition by centroids.cluster_number)
            as largest_deviation
    from centroids
    inner join words on centroids.trait = words.trait
    where
        centroids.deviation >= 0.3
        and (
            centroids.trait != 'gap_variation'
            or centroids.centre not between 0.9 and 1.1
        )
),

telling as (
    select
        cluster_number,
        cluster_words,
        row_number() over (
            partition by cluster_number
            order by deviation desc, trait asc
        ) as word_rank
    from speakable
    where deviation >= 0.5 * largest_deviation
),

clusters as (
    select cluster_number
    from centroids
    group by cluster_number
),

described as (
    select
        clusters.cluster_number,
        coalesce(
            max(case when telling.word_rank = 1 then telling.cluster_words end), ''
        )
        || coalesce(
            max(case when telling.word_rank = 2 then ', ' || telling.cluster_words end),
            ''
        )
        || coalesce(
            max(case when telling.word_rank = 3 then ', ' || telling.cluster_words end),
            ''
        ) as cluster_words
    from clusters
    left join telling on clusters.cluster_number = telling.cluster_number
    group by clusters.cluster_number
),

counted as (
    select
        cluster_number,
        coalesce(nullif(cluster_words, ''), 'near the average') as cluster_words,
        row_number() over (
            partition by cluster_words order by cluster_number
        ) as namesake_number
    from described
),

final as (
    select
        cast(cluster_number as integer) as cluster_number,
        cluster_words
        || case
            when namesake_number > 1
                then ' (' || cast(cluster_number as {{ dbt.type_string() }}) || ')'
            else ''
        end as cluster_name
    from counted
)

select * from final
