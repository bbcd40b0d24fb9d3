-- Who Python learns from where a shop has more customers than it needs, and on whom
-- predictions are judged: by a hash of the id, so that it is the same on every build.
with

final as (
    select customer_id
    from {{ ref('int_customer_features') }}
    where cutoff = 'live'
    order by {{ dbt.hash('customer_id') }}, customer_id
    limit {{ setting_number('learn_sample_customers', minimum=1, whole=true) }}
)

select * from final
