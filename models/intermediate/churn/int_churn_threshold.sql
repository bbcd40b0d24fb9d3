-- After how many days without a purchase a customer without contract counts as lost:
-- the setting, else what nine of ten gaps between purchases stayed under. A shop
-- without any second purchase has no gaps to learn from: a year.
with

gaps as (
    select days_since_previous_purchase as gap_days
    from {{ ref('int_customer_days') }}
    where days_since_previous_purchase is not null
),

learned as (
    select
        cast(count(*) as bigint) as gap_count,
        {{ percentile('gap_days', 0.9) }} as percentile_days
    from gaps
),

final as (
    select
        cast(coalesce(
            {{ setting_number('churn_inactivity_days', minimum=1, whole=true) }},
            -- greatest() ignores a NULL on some engines
            case when gap_count > 0 then greatest(30, ceil(percentile_days)) end,
            365
        ) as integer) as inactivity_days,
        {{ setting_number('churn_inactivity_days') }} is null as is_learned,
        gap_count
    from learned
)

select * from final
