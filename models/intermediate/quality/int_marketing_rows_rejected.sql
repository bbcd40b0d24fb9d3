-- What was not accepted of marketing, events, surveys, subscriptions and experiments.
{{ config(materialized='view') }}

with

rejected as (
    {{ rows_not_accepted('marketing_spend', amount='amount') }}
    union all
    {{ rows_not_accepted('touchpoints') }}
    union all
    {{ rows_not_accepted('events') }}
    union all
    {{ rows_not_accepted('surveys') }}
    union all
    {{ rows_not_accepted('subscriptions', amount='monthly_amount') }}
    union all
    {{ rows_not_accepted('experiments', amount='cost_amount') }}
),

final as (
    {{ rows_identified('rejected') }}
)

select * from final
