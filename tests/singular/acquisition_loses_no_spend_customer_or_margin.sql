-- What was spent by the live cutoff, who was acquired, and what they earned from their
-- cohort month on, stands in the acquisition tables in full. One row per sum that
-- differs.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

spent as (
    select marketing_spend.amount
    from {{ ref('stg_shop__marketing_spend') }} as marketing_spend
    inner join live on marketing_spend.spend_date <= live.cutoff_date

    union all

    select fixed_costs.amount
    from {{ ref('fixed_costs') }} as fixed_costs
    inner join live on {{ month_start('fixed_costs.cost_month') }} <= live.cutoff_date
),

expected as (
    select
        (select sum(amount) from spent) as spend_amount,
        (
            select count(*)
            from {{ ref('dim_customers') }}
            where cohort_month is not null
        ) as customer_count,
        (
            select sum(customer_months.margin_amount)
            from {{ ref('fct_customer_months') }} as customer_months
            inner join {{ ref('dim_customers') }} as customers
                on customer_months.customer_id = customers.customer_id
            where customer_months.activity_month >= customers.cohort_month
        ) as margin_amount
),

sums as (
    select
        'fct_campaign_months' as table_name,
        sum(spend_amount) as spend_amount,
        sum(new_customer_count) as customer_count,
        null as margin_amount
    from {{ ref('fct_campaign_months') }}

    union all

    select
        'fct_channel_months' as table_name,
        sum(spend_amount) as spend_amount,
        sum(new_customer_count) as customer_count,
        null as margin_amount
    from {{ ref('fct_channel_months') }}

    union all

    select
        'fct_acquisition_months' as table_name,
        sum(spend_amount) as spend_amount,
        sum(new_customer_count) as customer_count,
        null as margin_amount
    from {{ ref('fct_acquisition_months') }}

    union all

    select
        'fct_cohort_payback' as table_name,
        null as spend_amount,
        sum(case when months_since_cohort = 0 then customer_count end)
            as customer_count,
        coalesce(sum(margin_amount), 0) as margin_amount
    from {{ ref('fct_cohort_payback') }}

    union all

    select
        'fct_cohort_ltv_to_cac' as table_name,
        null as spend_amount,
        sum(customer_count) as customer_count,
        null as margin_amount
    from {{ ref('fct_cohort_ltv_to_cac') }}
)

select
    sums.table_name,
    sums.spend_amount,
    expected.spend_amount as expected_spend_amount,
    sums.customer_count,
    expected.customer_count as expected_customer_count,
    sums.margin_amount,
    expected.margin_amount as expected_margin_amount
from sums
cross join expected
where
    coalesce(sums.customer_count, 0) != expected.customer_count
    or (
        sums.table_name in (
            'fct_campaign_months', 'fct_channel_months', 'fct_acquisition_months'
        )
        and coalesce(sums.spend_amount, 0) != coalesce(expected.spend_amount, 0)
    )
    or sums.margin_amount != coalesce(expected.margin_amount, 0)
