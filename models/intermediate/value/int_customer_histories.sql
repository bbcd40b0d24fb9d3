-- The purchase history of a customer at a cutoff, as the purchase processes know it.
-- Ages are in days; beyond learn_sample_customers customers they are rounded to whole
-- weeks, so that there are few distinct histories: what the average of the processes
-- expects in all moves by less than half a per cent. A channel with enough customers
-- who bought again to learn its own process is a group of its own; the others are
-- judged by what all channels together do.
{% set repeaters_needed = 100 %}

with

features as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        frequency,
        recency_days,
        age_days
    from {{ ref('int_customer_features') }}
),

customers as (
    select
        customer_id,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

population as (
    select
        case
            when
                max(customer_count)
                > {{ setting_number('learn_sample_customers', minimum=1, whole=true) }}
                then 7
            else 1
        end as grid_days
    from (
        select
            cutoff,
            count(*) as customer_count
        from features
        group by cutoff
    ) as counted
),

joined as (
    select
        features.cutoff,
        features.customer_id,
        customers.acquisition_channel,
        features.frequency,
        features.recency_days,
        features.age_days
    from features
    inner join customers on features.customer_id = customers.customer_id
),

channels as (
    select
        cutoff,
        acquisition_channel,
        count(case when frequency > 0 then 1 end) as repeater_count
    from joined
    group by cutoff, acquisition_channel
),

final as (
    select
        joined.cutoff,
        joined.customer_id,
        joined.acquisition_channel,
        case
            when channels.repeater_count >= {{ repeaters_needed }}
                then joined.acquisition_channel
            else 'all channels'
        end as customer_group,
        joined.frequency,
        cast(
            round({{ ratio('joined.recency_days', 'population.grid_days') }})
            * population.grid_days as integer
        ) as recency_days,
        cast(
            round({{ ratio('joined.age_days', 'population.grid_days') }})
            * population.grid_days as integer
        ) as age_days
    from joined
    inner join channels
        on
            joined.cutoff = channels.cutoff
            and joined.acquisition_channel = channels.acquisition_channel
    cross join population
)

select * from final
