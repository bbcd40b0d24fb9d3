-- Where each customer who was not lost stood on the evening of a cutoff: under
-- contract, or silent for so many days. Everyone at the live cutoff, the customers of
-- the sample at the train one. The clock starts with the stay: who was lost and came
-- back starts anew; under contract it starts with the contract.
with

stays as (
    select
        cutoff,
        customer_id,
        stay_number,
        cutoff_date,
        stay_from_date,
        stay_contract_date
    from {{ ref('int_survival_stays') }}
    where stay_until_date is null
),

features as (
    select
        cutoff,
        customer_id,
        purchase_count,
        days_since_last_purchase
    from {{ ref('int_customer_features') }}
),

contracts as (
    select
        cutoff,
        customer_id
    from {{ ref('int_customer_contracts') }}
    where has_running_contract
),

first_days as (
    select
        customer_id,
        activity_date,
        purchase_number
    from {{ ref('int_customer_days') }}
    where purchase_number is not null
),

threshold as (
    select inactivity_days
    from {{ ref('int_churn_threshold') }}
),

judged as (
    select
        stays.cutoff,
        stays.customer_id,
        stays.stay_number,
        stays.cutoff_date,
        stays.stay_from_date,
        stays.stay_contract_date,
        contracts.customer_id is not null
        and stays.stay_contract_date is not null as is_under_contract
    from stays
    left join contracts
        on
            stays.cutoff = contracts.cutoff
            and stays.customer_id = contracts.customer_id
),

final as (
    select
        judged.cutoff,
        judged.customer_id,
        judged.stay_from_date,
        case when judged.is_under_contract then 'contractual' else 'noncontractual' end
            as relationship,
        case
            when judged.is_under_contract
                then
                    {{ days_between(
                        'judged.stay_contract_date', 'judged.cutoff_date'
                    ) }}
            else {{ days_between('judged.stay_from_date', 'judged.cutoff_date') }}
        end as stay_days,
        threshold.inactivity_days,
        features.days_since_last_purchase as silent_days,
        -- a stay that began with a contract has no place in the ranks of purchases
        case
            when first_days.customer_id is null then 'all'
            else {{ survival_buyer_class(
                'judged.stay_number',
                '(features.purchase_count - first_days.purchase_number + 1)'
            ) }}
        end as buyer_class,
        judged.stay_number > 1 as is_won_back
    from judged
    cross join threshold
    left join features
        on
            judged.cutoff = features.cutoff
            and judged.customer_id = features.customer_id
    left join first_days
        on
            judged.customer_id = first_days.customer_id
            and judged.stay_from_date = first_days.activity_date
)

select * from final
