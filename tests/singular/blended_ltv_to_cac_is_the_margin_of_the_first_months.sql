-- LTV:CAC of n months is the margin of the months since cohort 0 to n - 1, of all
-- channels, over what the cohort month cost; and it is there if those months are
-- complete. One row per month and window that differs.
with

windows as (
    select numbers.n + 1 as month_count
    from {{ numbers(24) }} as numbers
    where numbers.n + 1 in (3, 6, 12, 24)
),

margins as (
    select
        payback.cohort_month,
        windows.month_count,
        sum(payback.margin_amount) as margin_amount
    from {{ ref('fct_cohort_payback') }} as payback
    inner join windows on payback.months_since_cohort < windows.month_count
    group by payback.cohort_month, windows.month_count
),

compared as (
    select
        months.calendar_month,
        margins.month_count,
        case
            when margins.month_count = 3 then months.ltv_to_cac_3_months
            when margins.month_count = 6 then months.ltv_to_cac_6_months
            when margins.month_count = 12 then months.ltv_to_cac_12_months
            when margins.month_count = 24 then months.ltv_to_cac_24_months
        end as ltv_to_cac,
        case
            when
                months.spend_amount > 0
                and months.months_observed >= margins.month_count
                then {{ ratio('margins.margin_amount', 'months.spend_amount') }}
        end as expected_ltv_to_cac
    from {{ ref('fct_acquisition_months') }} as months
    inner join margins on months.calendar_month = margins.cohort_month
)

select
    calendar_month,
    month_count,
    ltv_to_cac,
    expected_ltv_to_cac
from compared
where
    (ltv_to_cac is null) != (expected_ltv_to_cac is null)
    or abs(ltv_to_cac - expected_ltv_to_cac) > 1e-9
