-- Who was to be contacted, of each day the warehouse was built for. A customer gets the
-- one strategy that promises the most profit, if any promises some, with consent, not
-- while in an experiment, not within contact_cooldown_days of the last contact that
-- stands here, nor beyond contact_cap_per_year. The budget goes to the highest returns
-- on cost first and ends before the first contact that it cannot pay.
-- This is the shop's memory, which no input has: a full refresh leaves it standing.
-- Days are only added. The last one is replaced when it is built again; a build as of
-- an earlier day neither changes nor adds one. A contact counts once the exports have
-- been written (is_exported), which the end of a build does if all of it has passed.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    unique_key=['audience_date', 'customer_id'],
    on_schema_change='fail',
    partition_by=partitioned_by(['audience_date', 'is_exported']),
    full_refresh=false,
    pre_hook="{{ delete_audiences_to_replace() }}",
) }}
{% set budget = setting_number('budget_amount', minimum=0) %}
{# all contacts in one order, only where a budget has to be spent in it #}
{% set budget_is_set = var('budget_amount') is not none %}
{% set cooldown = setting_number(
    'contact_cooldown_days', minimum=0, maximum=365, whole=true
) %}

with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

targets as (
    select
        customer_id,
        strategy_id,
        contact_channel,
        offer,
        priority,
        expected_incremental_margin_amount,
        contact_cost_amount,
        expected_profit_amount
    from {{ ref('int_strategy_targets') }}
    where
        has_marketing_consent
        and not is_in_experiment
        and expected_profit_amount > 0
),

-- a later day that stands is not to be changed by looking back
last_audience as (
    {% if is_incremental() %}
    select max(audience_date) as audience_date
    from {{ this }}
    where is_exported
    {% else %}
    select cast(null as date) as audience_date
    {% endif %}
),

-- who was contacted too lately, or too often
at_rest as (
    {% if is_incremental() %}
    select ledger.customer_id
    from {{ this }} as ledger
    cross join live
    where
        ledger.is_exported
        and ledger.audience_date < live.cutoff_date
        and ledger.audience_date > {{ add_days('live.cutoff_date', -365) }}
    group by ledger.customer_id, live.cutoff_date
    having
        {{ days_between('max(ledger.audience_date)', 'live.cutoff_date') }}
        < {{ cooldown }}
        or count(*)
        >= {{ setting_number('contact_cap_per_year', minimum=1, whole=true) }}
    {% else %}
    select cast(null as {{ dbt.type_string() }}) as customer_id
    where false
    {% endif %}
),

ranked as (
    select
        targets.*,
        row_number() over (
            partition by targets.customer_id
            order by
                targets.expected_profit_amount desc,
                targets.priority asc,
                targets.strategy_id asc
        ) as strategy_rank
    from targets
    left join at_rest on targets.customer_id = at_rest.customer_id
    where at_rest.customer_id is null
),

chosen as (
    select
        customer_id,
        strategy_id,
        contact_channel,
        offer,
        expected_incremental_margin_amount,
        contact_cost_amount,
        expected_profit_amount,
        -- what a contact costs counts as at least a hundredth of a cent
        {{ ratio('expected_profit_amount', 'greatest(contact_cost_amount, 0.0001)') }}
            as expected_return_on_cost
    from ranked
    where strategy_rank = 1
),

spent as (
    select
        chosen.*,
        {% if budget_is_set -%}
        sum(contact_cost_amount) over (
            order by
                expected_return_on_cost desc,
                expected_profit_amount desc,
                customer_id asc
            rows between unbounded preceding and current row
        )
        {%- else -%}
        0
        {%- endif %} as cumulative_cost_amount
    from chosen
),

final as (
    select
        live.cutoff_date as audience_date,
        spent.customer_id,
        spent.strategy_id,
        spent.contact_channel,
        spent.offer,
        {{ money('spent.expected_incremental_margin_amount') }}
            as expected_incremental_margin_amount,
        {{ money('spent.contact_cost_amount') }} as contact_cost_amount,
        {{ money('spent.expected_profit_amount') }} as expected_profit_amount,
        false as is_exported
    from spent
    cross join live
    cross join last_audience
    where
        spent.cumulative_cost_amount <= coalesce({{ budget }}, 0)
        and coalesce(live.cutoff_date >= last_audience.audience_date, true)
)

select * from final
