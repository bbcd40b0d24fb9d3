-- Months are counted as calendar months with the cohort month as the first: "3 months"
-- are the months since cohort 0 to 2, and a cohort paid back in 3 months has reached
-- its CAC by the end of month since cohort 2. Only complete months count.
with

payback as (
    select
        cohort_month,
        channel,
        months_since_cohort + 1 as month_number,
        customer_count,
        cac_amount,
        ltv_to_cac,
        is_paid_back,
        is_mature
    from {{ ref('fct_cohort_payback') }}
),

final as (
    select
        cohort_month,
        channel,
        customer_count,
        cac_amount,
        cast(min(case when is_paid_back then month_number end) as integer)
            as payback_months,
        cast(count(case when is_mature then 1 end) as integer) as months_observed,
        max(case when month_number = 3 then ltv_to_cac end) as ltv_to_cac_3_months,
        max(case when month_number = 6 then ltv_to_cac end) as ltv_to_cac_6_months,
        max(case when month_number = 12 then ltv_to_cac end) as ltv_to_cac_12_months,
        max(case when month_number = 24 then ltv_to_cac end) as ltv_to_cac_24_months,
        count(case when is_mature then 1 end) > 0 as is_mature
    from payback
    group by cohort_month, channel, customer_count, cac_amount
)

select * from final
