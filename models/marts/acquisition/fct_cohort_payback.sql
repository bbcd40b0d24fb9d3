-- What a cohort has earned per customer, month by month, against what each of them
-- cost: margin, not revenue, and not discounted. The grid is dense (a month without
-- purchases is a row), and sums run up to the last complete month: a month that is
-- still open has its margin so far, and no verdict.
with

channel_months as (
    select
        calendar_month as cohort_month,
        channel,
        spend_amount,
        new_customer_count as customer_count,
        cac_amount
    from {{ ref('fct_channel_months') }}
    where new_customer_count > 0
),

live as (
    select
        cutoff_date,
        -- the first month whose end has not been seen
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

cohorts as (
    select
        channel_months.*,
        {{ months_between('channel_months.cohort_month', 'live.cutoff_date') }}
            as last_month,
        {{ months_between('channel_months.cohort_month', 'live.first_open_month') }}
            as complete_month_count
    from channel_months
    cross join live
),

offsets as (
    select numbers.n as months_since_cohort
    from {{ numbers(1200) }} as numbers
),

customers as (
    select
        customer_id,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

customer_months as (
    select
        customer_id,
        cohort_month,
        months_since_cohort,
        margin_amount
    from {{ ref('fct_customer_months') }}
    -- refunds before the first purchase belong to no cohort
    where months_since_cohort >= 0
),

margins as (
    select
        customer_months.cohort_month,
        customers.acquisition_channel,
        customer_months.months_since_cohort,
        sum(customer_months.margin_amount) as margin_amount
    from customer_months
    inner join customers on customer_months.customer_id = customers.customer_id
    group by
        customer_months.cohort_month,
        customers.acquisition_channel,
        customer_months.months_since_cohort
),

grid as (
    select
        cohorts.cohort_month,
        cohorts.channel,
        offsets.months_since_cohort,
        cohorts.customer_count,
        cohorts.spend_amount,
        cohorts.cac_amount,
        coalesce(margins.margin_amount, 0) as margin_amount,
        sum(coalesce(margins.margin_amount, 0)) over (
            partition by cohorts.cohort_month, cohorts.channel
            order by offsets.months_since_cohort
            rows between unbounded preceding and current row
        ) as cumulative_margin_amount,
        offsets.months_since_cohort < cohorts.complete_month_count as is_mature
    from cohorts
    inner join offsets on cohorts.last_month >= offsets.months_since_cohort
    left join margins
        on
            cohorts.cohort_month = margins.cohort_month
            and cohorts.channel = margins.acquisition_channel
            and offsets.months_since_cohort = margins.months_since_cohort
),

final as (
    select
        cohort_month,
        channel,
        months_since_cohort,
        customer_count,
        cac_amount,
        {{ money('margin_amount') }} as margin_amount,
        case
            when is_mature
                then {{ money(ratio('cumulative_margin_amount', 'customer_count')) }}
        end as cumulative_margin_per_customer_amount,
        -- over the whole cohort, where both sides are exact
        case
            when is_mature and cac_amount is not null
                then {{ ratio('cumulative_margin_amount', 'spend_amount') }}
        end as ltv_to_cac,
        case
            when is_mature and cac_amount is not null
                then cumulative_margin_amount >= spend_amount
        end as is_paid_back,
        is_mature
    from grid
)

select * from final
