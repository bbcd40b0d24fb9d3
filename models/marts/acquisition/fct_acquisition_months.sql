-- Blended: all spend over all new customers; paid: all spend over those from channels
-- that have ever had spend. The new customers of a month are one cohort over all
-- channels, and its payback is counted as in fct_cohort_ltv_to_cac, against the
-- blended CAC. Every month from the first to the live one is a row.
with

channel_months as (
    select
        calendar_month,
        ad_spend_amount,
        fixed_cost_amount,
        spend_amount,
        new_customer_count,
        first_purchase_revenue_amount,
        is_paid
    from {{ ref('fct_channel_months') }}
),

payback as (
    select
        cohort_month,
        months_since_cohort,
        margin_amount,
        is_mature
    from {{ ref('fct_cohort_payback') }}
),

live as (
    select
        cutoff_date,
        -- the first month whose end has not been seen
        {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

first_month as (
    select min(calendar_month) as calendar_month
    from channel_months
),

months as (
    select
        {{ add_months('first_month.calendar_month', 'numbers.n') }} as calendar_month,
        live.first_open_month
    from first_month
    cross join live
    inner join {{ numbers(1200) }} as numbers
        on
            {{ months_between('first_month.calendar_month', 'live.cutoff_date') }}
            >= numbers.n
),

summed as (
    select
        months.calendar_month,
        sum(channel_months.ad_spend_amount) as ad_spend_amount,
        sum(channel_months.fixed_cost_amount) as fixed_cost_amount,
        sum(channel_months.spend_amount) as spend_amount,
        sum(channel_months.new_customer_count) as new_customer_count,
        sum(case when channel_months.is_paid then channel_months.new_customer_count end)
            as new_paid_customer_count,
        sum(channel_months.first_purchase_revenue_amount)
            as first_purchase_revenue_amount,
        months.calendar_month < months.first_open_month as is_mature
    from months
    left join channel_months on months.calendar_month = channel_months.calendar_month
    group by months.calendar_month, months.first_open_month
),

blended_margins as (
    select
        cohort_month,
        months_since_cohort + 1 as month_number,
        sum(margin_amount) as margin_amount,
        is_mature
    from payback
    group by cohort_month, months_since_cohort, is_mature
),

cumulated as (
    select
        cohort_month,
        month_number,
        sum(margin_amount) over (
            partition by cohort_month
            order by month_number
            rows between unbounded preceding and current row
        ) as cumulative_margin_amount,
        is_mature
    from blended_margins
),

blended_payback as (
    select
        cumulated.cohort_month,
        cumulated.month_number,
        {{ ratio('cumulated.cumulative_margin_amount', 'summed.spend_amount') }}
            as ltv_to_cac,
        cumulated.cumulative_margin_amount >= summed.spend_amount as is_paid_back
    from cumulated
    inner join summed on cumulated.cohort_month = summed.calendar_month
    where cumulated.is_mature and summed.spend_amount > 0
),

cohorts as (
    select
        cohort_month,
        min(case when is_paid_back then month_number end) as payback_months,
        max(case when month_number = 3 then ltv_to_cac end) as ltv_to_cac_3_months,
        max(case when month_number = 6 then ltv_to_cac end) as ltv_to_cac_6_months,
        max(case when month_number = 12 then ltv_to_cac end) as ltv_to_cac_12_months,
        max(case when month_number = 24 then ltv_to_cac end) as ltv_to_cac_24_months
    from blended_payback
    group by cohort_month
),

final as (
    select
        summed.calendar_month,
        {{ money('coalesce(summed.ad_spend_amount, 0)') }} as ad_spend_amount,
        {{ money('coalesce(summed.fixed_cost_amount, 0)') }} as fixed_cost_amount,
        {{ money('coalesce(summed.spend_amount, 0)') }} as spend_amount,
        cast(coalesce(summed.new_customer_count, 0) as bigint) as new_customer_count,
        cast(coalesce(summed.new_paid_customer_count, 0) as bigint)
            as new_paid_customer_count,
        {{ money('coalesce(summed.first_purchase_revenue_amount, 0)') }}
            as first_purchase_revenue_amount,
        case
            when summed.spend_amount > 0
                then {{ money(
                    ratio('summed.spend_amount', 'summed.new_customer_count')
                ) }}
        end as blended_cac_amount,
        case
            when summed.spend_amount > 0
                then {{ money(
                    ratio('summed.spend_amount', 'summed.new_paid_customer_count')
                ) }}
        end as paid_cac_amount,
        cast(cohorts.payback_months as integer) as payback_months,
        cast(
            {{ months_between('summed.calendar_month', 'live.first_open_month') }}
            as integer
        ) as months_observed,
        cohorts.ltv_to_cac_3_months,
        cohorts.ltv_to_cac_6_months,
        cohorts.ltv_to_cac_12_months,
        cohorts.ltv_to_cac_24_months,
        summed.is_mature
    from summed
    cross join live
    left join cohorts on summed.calendar_month = cohorts.cohort_month
)

select * from final
