-- Who gets what, and why everybody else gets nothing. The reason is the first that
-- applies: no consent to marketing; in no strategy's group; value unknown, so that no
-- strategy can be weighed; no strategy promises a profit; in an experiment, which a
-- contact would spoil; contacted too lately; too often within 365 days; the day has
-- passed and no audience was chosen on it; the budget went to others.
{% set cooldown = setting_number(
    'contact_cooldown_days', minimum=0, maximum=365, whole=true
) %}

with

candidates as {{ inlined() }} (
    select
        customer_id,
        audience_date,
        best_expected_profit_amount,
        has_marketing_consent,
        has_strategy,
        is_in_experiment
    from {{ ref('int_audience_candidates') }}
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
        expected_profit_amount,
        is_exported
    from {{ ref('fct_audience_ledger') }}
),

live as (
    select max(audience_date) as audience_date
    from candidates
),

later as (
    select count(*) as contact_count
    from ledger
    inner join live on ledger.audience_date > live.audience_date
),

members as (
    select ledger.*
    from ledger
    inner join live on ledger.audience_date = live.audience_date
),

contacts as (
    select
        ledger.customer_id,
        max(ledger.audience_date) as last_contact_date,
        count(*) as contact_count
    from ledger
    inner join live
        on
            ledger.is_exported
            and ledger.audience_date < live.audience_date
            and ledger.audience_date > {{ add_days('live.audience_date', -365) }}
    group by ledger.customer_id
),

final as (
    select
        candidates.customer_id,
        candidates.audience_date,
        members.strategy_id,
        members.contact_channel,
        members.offer,
        case
            when members.customer_id is not null then null
            when not candidates.has_marketing_consent then 'no_consent'
            when not candidates.has_strategy then 'no_strategy'
            when candidates.best_expected_profit_amount is null then 'unknown_value'
            when candidates.best_expected_profit_amount <= 0 then 'no_profit'
            when candidates.is_in_experiment then 'in_experiment'
            when
                {{ days_between(
                    'contacts.last_contact_date', 'candidates.audience_date'
                ) }} < {{ cooldown }}
                then 'cooldown'
            when
                contacts.contact_count
                >= {{ setting_number('contact_cap_per_year', minimum=1, whole=true) }}
                then 'contact_cap'
            when later.contact_count > 0 then 'past_day'
            else 'over_budget'
        end as left_out_reason,
        contacts.last_contact_date,
        cast(coalesce(contacts.contact_count, 0) as bigint)
            as contacts_last_year_count,
        members.expected_incremental_margin_amount,
        members.contact_cost_amount,
        members.expected_profit_amount,
        members.customer_id is not null as is_contacted
    from candidates
    cross join later
    left join members on candidates.customer_id = members.customer_id
    left join contacts on candidates.customer_id = contacts.customer_id
)

select * from final
