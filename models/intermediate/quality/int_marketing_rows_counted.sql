-- How many raw rows of marketing, events, surveys, subscriptions and experiments ended
-- where, the accepted ones by day, and how much money they speak of.
with

final as (
    {{ rows_counted('marketing_spend', amount='amount', date='spend_date') }}
    union all
    {{ rows_counted('touchpoints', date='touched_at') }}
    union all
    {{ rows_counted('events', date='occurred_at') }}
    union all
    {{ rows_counted('surveys', date='responded_at') }}
    union all
    {{ rows_counted('subscriptions', amount='monthly_amount', date='started_at') }}
    union all
    {{ rows_counted('experiments', amount='cost_amount', date='assigned_at') }}
)

select * from final
