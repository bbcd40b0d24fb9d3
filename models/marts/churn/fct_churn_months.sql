-- Who is new and gone within the same month is in the churned, so that the movement
-- adds up, but not in the rate: a rate is of those who were there at the start. Where
-- none of them could have churned yet, there is no rate.
with

months as (
    select
        calendar_month,
        relationship,
        customers_at_start_count,
        joined_count,
        won_back_count,
        churned_count,
        churned_from_start_count,
        customers_at_end_count,
        customers_at_risk_count,
        is_mature
    from {{ ref('int_churn_months') }}
),

summed as (
    select
        calendar_month,
        relationship,
        sum(customers_at_start_count) as customers_at_start_count,
        sum(joined_count) as joined_count,
        sum(won_back_count) as won_back_count,
        sum(churned_count) as churned_count,
        sum(churned_from_start_count) as churned_from_start_count,
        sum(customers_at_end_count) as customers_at_end_count,
        sum(customers_at_risk_count) as customers_at_risk_count,
        is_mature
    from months
    group by calendar_month, relationship, is_mature
),

final as (
    select
        calendar_month,
        relationship,
        cast(customers_at_start_count as bigint) as customers_at_start_count,
        cast(joined_count as bigint) as joined_count,
        cast(won_back_count as bigint) as won_back_count,
        cast(churned_count as bigint) as churned_count,
        cast(customers_at_end_count as bigint) as customers_at_end_count,
        cast(churned_from_start_count as bigint) as churned_from_start_count,
        cast(customers_at_risk_count as bigint) as customers_at_risk_count,
        case
            when is_mature and customers_at_risk_count > 0
                then {{ ratio('churned_from_start_count', 'customers_at_start_count') }}
        end as churn_rate,
        case
            when is_mature
                then {{ ratio('churned_from_start_count', 'customers_at_risk_count') }}
        end as at_risk_churn_rate,
        is_mature
    from summed
)

select * from final
