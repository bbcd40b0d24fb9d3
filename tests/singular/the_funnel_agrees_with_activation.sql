-- The funnel has the customers of fct_activation. Its steps are purchases and paid
-- months, so that no fewer are activated and come to a second; without contracts as
-- many. (Retained is the second purchase unless lifecycle_stages was edited.)
with

funnel as (
    select
        acquired_month,
        channel,
        customer_count,
        activated_count,
        retained_count
    from {{ ref('fct_lifecycle_funnel') }}
),

activation as (
    select
        acquired_month,
        channel,
        customer_count,
        first_purchase_count,
        second_purchase_count
    from {{ ref('fct_activation') }}
),

paid_months as (
    select count(*) as paid_month_count
    from {{ ref('int_paid_months') }}
),

retained as (
    select count(*) as rule_count
    from {{ ref('lifecycle_stages') }}
    where stage = 'retained' and minimum_purchase_count = 2
),

final as (
    select
        funnel.acquired_month,
        funnel.channel,
        funnel.activated_count,
        activation.first_purchase_count,
        funnel.retained_count,
        activation.second_purchase_count
    from funnel
    full join activation
        on
            funnel.acquired_month = activation.acquired_month
            and funnel.channel = activation.channel
    cross join paid_months
    cross join retained
    where
        coalesce(
            funnel.customer_count != activation.customer_count
            or funnel.activated_count < activation.first_purchase_count
            or (
                paid_months.paid_month_count = 0
                and funnel.activated_count != activation.first_purchase_count
            )
            or (
                retained.rule_count = 1
                and (
                    funnel.retained_count < activation.second_purchase_count
                    or (
                        paid_months.paid_month_count = 0
                        and funnel.retained_count != activation.second_purchase_count
                    )
                )
            ),
            true
        )
)

select * from final
