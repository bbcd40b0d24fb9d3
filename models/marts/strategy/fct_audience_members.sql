-- Who gets what, and why everybody else gets nothing. The reason is the first that
-- applies: no consent to marketing; in no strategy's group; value unknown, so that no
-- strategy can be weighed; no strategy promises a profit; in an experiment, which a
-- contact would spoil; contacted too lately; too often within 365 days; the budget went
-- to others.
{% set cooldown = setting_number(
    'contact_cooldown_days', minimum=0, maximum=365, whole=true
) %}

with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

customers as (
    select
        customer_id,
        has_marketing_consent
    from {{ ref('dim_customers') }}
),

targets as (
    select
        customer_id,
        max(expected_profit_amount) as best_profit_amount,
        count(*) filter (where is_in_experiment) > 0 as is_in_experiment
    from {{ ref('int_strategy_targets') }}
    where has_marketing_consent
    group by customer_id
),

ledger as (
    select
        audience_date,
        customer_id,
        strategy_id,
        contact_channel,
        offer,
        expected_incremental_margin_amount,
        contact_cost_amount,
        expected_profit_amount
    from {{ ref('fct_audience_ledger') }}
),

members as (
    select ledger.*
    from ledger
    inner join live on ledger.audience_date = live.cutoff_date
),

contacts as (
    select
        ledger.customer_id,
        max(ledger.audience_date) as last_contact_date,
        count(*) as contact_count
    from ledger
    inner join live
        on
            ledger.audience_date < live.cutoff_date
            and ledger.audience_date > {{ add_days('live.cutoff_date', -365) }}
    group by ledger.customer_id
),

final as (
    select
        customers.customer_id,
        live.cutoff_date as audience_date,
        members.strategy_id,
        members.contact_channel,
        members.offer,
        case
            when members.customer_id is not null then null
            when not customers.has_marketing_consent then 'no_consent'
            when targets.customer_id is null then 'no_strategy'
            when targets.best_profit_amount is null then 'unknown_value'
            when targets.best_profit_amount <= 0 then 'no_profit'
            when targets.is_in_experiment then 'in_experiment'
            when
                {{ days_between('contacts.last_contact_date', 'live.cutoff_date') }}
                < {{ cooldown }}
                then 'cooldown'
            when
                contacts.contact_count
                >= {{ setting_number('contact_cap_per_year', minimum=1, whole=true) }}
                then 'contact_cap'
            else 'over_budget'
        end as left_out_reason,
        contacts.last_contact_date,
        cast(coalesce(contacts.contact_count, 0) as bigint)
            as contacts_last_year_count,
        members.expected_incremental_margin_amount,
        members.contact_cost_amount,
        members.expected_profit_amount,
        members.customer_id is not null as is_contacted
    from customers
    cross join live
    left join targets on customers.customer_id = targets.customer_id
    left join members on customers.customer_id = members.customer_id
    left join contacts on customers.customer_id = contacts.customer_id
)

select * from final
