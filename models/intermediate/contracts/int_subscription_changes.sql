-- A contract counts in a month if it runs on the month's last day, so it comes with
-- the month it starts in and goes with the month it ends in; within one month it never
-- counts. A customer's contracts are taken together: changing from one to another is
-- expansion or contraction, not churn and a new customer. Starts and ends after the
-- live cutoff are not known yet.
with

live as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

subscriptions as (
    select
        customer_id,
        cast(started_at as date) as started_date,
        cast(ended_at as date) as ended_date,
        monthly_amount
    from {{ ref('stg_shop__subscriptions') }}
),

known as (
    select
        subscriptions.customer_id,
        live.cutoff_date,
        {{ month_start('subscriptions.started_date') }} as started_month,
        case
            when subscriptions.ended_date <= live.cutoff_date
                then {{ month_start('subscriptions.ended_date') }}
        end as ended_month,
        subscriptions.monthly_amount
    from subscriptions
    inner join live on subscriptions.started_date <= live.cutoff_date
),

steps as (
    select
        customer_id,
        cutoff_date,
        started_month as change_month,
        monthly_amount as mrr_change_amount
    from known

    union all

    select
        customer_id,
        cutoff_date,
        ended_month as change_month,
        -monthly_amount as mrr_change_amount
    from known
    where ended_month is not null
),

changes as (
    select
        customer_id,
        cutoff_date,
        change_month,
        sum(mrr_change_amount) as mrr_change_amount
    from steps
    group by customer_id, cutoff_date, change_month
    having sum(mrr_change_amount) != 0
),

running as (
    select
        customer_id,
        cutoff_date,
        change_month,
        mrr_change_amount,
        sum(mrr_change_amount) over (
            partition by customer_id order by change_month
            rows between unbounded preceding and current row
        ) as mrr_after_amount
    from changes
),

compared as (
    select
        customer_id,
        cutoff_date,
        change_month,
        mrr_after_amount - mrr_change_amount as mrr_before_amount,
        mrr_change_amount,
        mrr_after_amount,
        min(case when mrr_after_amount > 0 then change_month end)
            over (partition by customer_id) as first_mrr_month
    from running
),

final as (
    select
        customer_id,
        change_month,
        cutoff_date,
        case
            when mrr_before_amount > 0 and mrr_after_amount <= 0 then 'churned'
            when mrr_before_amount <= 0 and change_month = first_mrr_month then 'new'
            when mrr_before_amount <= 0 and mrr_after_amount > 0 then 'reactivated'
            when mrr_after_amount > mrr_before_amount then 'expanded'
            else 'contracted'
        end as movement,
        {{ money('mrr_before_amount') }} as mrr_before_amount,
        {{ money('mrr_change_amount') }} as mrr_change_amount,
        {{ money('mrr_after_amount') }} as mrr_after_amount
    from compared
)

select * from final
