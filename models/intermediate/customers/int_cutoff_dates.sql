-- The project's one clock. Every feature, score and label is keyed by one of these
-- cutoffs and sees only what was known on its evening.
with

orders as (
    select cast(ordered_at as date) as order_date
    from {{ ref('stg_shop__orders') }}
),

observed as (
    select
        min(order_date) as first_order_date,
        coalesce({{ setting_date('as_of_date') }}, max(order_date)) as as_of_date
    from orders
),

measured as (
    select
        first_order_date,
        as_of_date,
        {{ days_between('first_order_date', 'as_of_date') }} as observed_days
    from observed
    where as_of_date >= first_order_date
),

spans as (
    select
        first_order_date,
        as_of_date,
        coalesce(
            {{ setting_number('holdout_days', minimum=1, whole=true) }},
            least(
                365,
                cast(floor(0.25 * observed_days) as integer)
            )
        ) as holdout_days
    from measured
),

final as (
    select
        'live' as cutoff,
        as_of_date as cutoff_date,
        first_order_date,
        holdout_days
    from spans

    union all

    select
        'train' as cutoff,
        {{ add_days('as_of_date', '-holdout_days') }} as cutoff_date,
        first_order_date,
        holdout_days
    from spans

    union all

    select
        'test' as cutoff,
        {{ add_days('as_of_date', '-2 * holdout_days') }} as cutoff_date,
        first_order_date,
        holdout_days
    from spans
)

select * from final
