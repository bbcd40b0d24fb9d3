-- The stays of customers as they were known on the evening of the train and the live
-- cutoff: from coming (or coming back) to being lost. Everyone at the live cutoff, the
-- customers of the sample at the train one.
with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff in ('live', 'train')
),

events as (
    select
        customer_id,
        relationship,
        event_number,
        event_date
    from {{ ref('int_churn_events') }}
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

stays as (
    select
        comings.customer_id,
        comings.relationship,
        cast({{ ratio('comings.event_number + 1', 2) }} as bigint) as stay_number,
        comings.event_date as stay_from_date,
        losses.event_date as stay_until_date,
        sampled.customer_id is not null as is_sampled
    from events as comings
    left join events as losses
        on
            comings.customer_id = losses.customer_id
            and comings.event_number + 1 = losses.event_number
    left join sampled on comings.customer_id = sampled.customer_id
    where mod(comings.event_number, 2) = 1
),

known as (
    select
        cutoffs.cutoff,
        cutoffs.cutoff_date,
        stays.customer_id,
        stays.relationship,
        stays.stay_number,
        stays.stay_from_date,
        case
            when stays.stay_until_date <= cutoffs.cutoff_date then stays.stay_until_date
        end as stay_until_date,
        stays.is_sampled
    from stays
    inner join cutoffs on stays.stay_from_date <= cutoffs.cutoff_date
    where cutoffs.cutoff = 'live' or stays.is_sampled
),

contracts as (
    select
        customer_id,
        cast(started_at as date) as stay_contract_date
    from {{ ref('stg_shop__subscriptions') }}
),

first_contracts as (
    select
        known.cutoff,
        known.customer_id,
        known.stay_number,
        min(contracts.stay_contract_date) as stay_contract_date
    from known
    inner join contracts on known.customer_id = contracts.customer_id
    where
        known.relationship = 'contractual'
        and contracts.stay_contract_date >= known.stay_from_date
        and contracts.stay_contract_date
        <= coalesce(known.stay_until_date, known.cutoff_date)
    group by known.cutoff, known.customer_id, known.stay_number
),

final as (
    select
        known.cutoff,
        known.customer_id,
        known.stay_number,
        known.cutoff_date,
        known.stay_from_date,
        first_contracts.stay_contract_date,
        known.stay_until_date,
        known.relationship,
        known.is_sampled
    from known
    left join first_contracts
        on
            known.cutoff = first_contracts.cutoff
            and known.customer_id = first_contracts.customer_id
            and known.stay_number = first_contracts.stay_number
)

select * from final
