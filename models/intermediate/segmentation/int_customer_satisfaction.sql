-- What each customer said last by the evening of the live cutoff. Of several answers of
-- the same moment the least satisfied counts.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

surveys as (
    select
        customer_id,
        responded_at,
        score
    from {{ ref('stg_shop__surveys') }}
),

known as (
    select
        surveys.customer_id,
        surveys.responded_at,
        surveys.score,
        row_number() over (
            partition by surveys.customer_id
            order by surveys.responded_at desc, surveys.score asc
        ) as answer_rank
    from surveys
    inner join live on cast(surveys.responded_at as date) <= live.cutoff_date
),

final as (
    select
        customer_id,
        cast(responded_at as date) as responded_date,
        score as latest_score
    from known
    where answer_rank = 1
)

select * from final
