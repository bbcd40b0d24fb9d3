-- The monthly series that are forecast. A month counts if it is over by the live cutoff
-- and began on or after the first purchase. A rate of fewer than 10 customers says
-- nothing. Churn without contract counts from the second month in which anybody could
-- churn: in the first, only who came a threshold before its end could. A forecast needs
-- months without a gap, so each series starts after its last one.
with

movement as (
    select
        calendar_month,
        previous_active_customer_count,
        retained_customer_count,
        active_customer_count,
        monthly_retention_rate,
        revenue_amount
    from {{ ref('fct_monthly_movement') }}
    where is_mature
),

churn as (
    select
        calendar_month,
        relationship,
        customers_at_start_count,
        churned_from_start_count,
        customers_at_risk_count,
        churn_rate
    from {{ ref('fct_churn_months') }}
    where is_mature
),

observed as (
    select min(first_purchase_date) as first_purchase_date
    from {{ ref('dim_customers') }}
),

first_risk_months as (
    select
        relationship,
        min(calendar_month) as first_risk_month
    from churn
    where customers_at_risk_count > 0
    group by relationship
),

series as (
    select
        'active_customer_count' as series_name,
        calendar_month,
        'count' as value_kind,
        cast(active_customer_count as {{ type_double() }}) as series_value,
        cast(null as bigint) as part_count,
        cast(null as bigint) as base_count
    from movement

    union all

    select
        'revenue_amount' as series_name,
        calendar_month,
        'amount' as value_kind,
        cast(revenue_amount as {{ type_double() }}) as series_value,
        null as part_count,
        null as base_count
    from movement

    union all

    select
        'monthly_retention_rate' as series_name,
        calendar_month,
        'rate' as value_kind,
        monthly_retention_rate as series_value,
        retained_customer_count as part_count,
        previous_active_customer_count as base_count
    from movement
    where previous_active_customer_count >= 10

    union all

    select
        churn.relationship || '_churn_rate' as series_name,
        churn.calendar_month,
        'rate' as value_kind,
        churn.churn_rate as series_value,
        churn.churned_from_start_count as part_count,
        churn.customers_at_start_count as base_count
    from churn
    inner join first_risk_months
        on
            churn.relationship = first_risk_months.relationship
            and churn.calendar_month > first_risk_months.first_risk_month
    where churn.customers_at_start_count >= 10 and churn.churn_rate is not null
),

last_month as (
    select max(calendar_month) as calendar_month
    from movement
),

-- months between a row and the last complete one, and rows there: equal without a gap
counted as (
    select
        series.series_name,
        series.calendar_month,
        series.value_kind,
        series.series_value,
        series.part_count,
        series.base_count,
        {{ months_between('series.calendar_month', 'last_month.calendar_month') }}
            as months_before_last,
        row_number() over (
            partition by series.series_name order by series.calendar_month desc
        ) as months_back
    from series
    inner join observed on series.calendar_month >= observed.first_purchase_date
    cross join last_month
),

final as (
    select
        series_name,
        calendar_month,
        value_kind,
        series_value,
        part_count,
        base_count
    from counted
    where months_back = months_before_last + 1
)

select * from final
