-- On the last day of the latest month that is over, MRR is the sum of the contracts
-- that run on it.
with

latest as (
    select
        calendar_month,
        ending_mrr_amount,
        {{ add_days(add_months('calendar_month', 1), -1) }} as last_date
    from {{ ref('fct_subscription_retention') }}
    where is_mature
    order by calendar_month desc
    limit 1
),

final as (
    select
        latest.calendar_month,
        latest.ending_mrr_amount,
        sum(subscriptions.monthly_amount) as running_amount
    from latest
    left join {{ ref('stg_shop__subscriptions') }} as subscriptions
        on
            cast(subscriptions.started_at as date) <= latest.last_date
            and (
                subscriptions.ended_at is null
                or cast(subscriptions.ended_at as date) > latest.last_date
            )
    group by latest.calendar_month, latest.ending_mrr_amount
    having
        latest.ending_mrr_amount != coalesce(sum(subscriptions.monthly_amount), 0)
)

select * from final
