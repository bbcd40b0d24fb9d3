-- How long the customers of the sample stayed until they were lost for the first time,
-- as far as was known at a cutoff: what Cox's model learns from. Who is still there has
-- stayed for so long at least (censored). The clock of a buyer starts with the first
-- purchase, that of a contract with the first contract; a buyer who takes a contract is
-- out of the buyers' sight on that day, so that contracts to come make nobody loyal.
with

stays as {{ inlined() }} (
    select
        cutoff,
        customer_id,
        stay_number,
        cutoff_date,
        stay_from_date,
        stay_contract_date,
        stay_until_date
    from {{ ref('int_survival_stays') }}
    where is_sampled
),

traits as (
    select
        customer_id,
        relationship,
        {% for trait in survival_text_traits() + survival_amount_traits() %}
        {{ trait }},
        {% endfor %}
        lifetime_start_date
    from {{ ref('int_survival_traits') }}
),

lifetimes as (
    select
        cutoff,
        customer_id,
        'noncontractual' as relationship,
        stay_from_date as lifetime_start_date,
        coalesce(stay_contract_date, stay_until_date, cutoff_date)
            as observed_until_date,
        stay_contract_date is null and stay_until_date is not null as is_lost
    from stays
    where
        stay_number = 1
        and (stay_contract_date is null or stay_contract_date > stay_from_date)

    union all

    select
        cutoff,
        customer_id,
        'contractual' as relationship,
        stay_contract_date as lifetime_start_date,
        coalesce(stay_until_date, cutoff_date) as observed_until_date,
        stay_until_date is not null as is_lost
    from stays
    where stay_contract_date is not null
),

final as (
    select
        lifetimes.cutoff,
        lifetimes.customer_id,
        lifetimes.relationship,
        lifetimes.lifetime_start_date,
        {{ days_between(
            'lifetimes.lifetime_start_date', 'lifetimes.observed_until_date'
        ) }} as duration_days,
        {% for trait in survival_text_traits() + survival_amount_traits() %}
        traits.{{ trait }},
        {% endfor %}
        lifetimes.is_lost
    from lifetimes
    inner join traits
        on
            lifetimes.customer_id = traits.customer_id
            and lifetimes.relationship = traits.relationship
            -- the first contract, not that of a later stay
            and lifetimes.lifetime_start_date = traits.lifetime_start_date
)

select * from final
