-- Gives each raw row its types, its reasons for rejection and its outcome.
{% set columns = [
    'experiment_id', 'customer_id', 'arm', 'assigned_at', 'cost_amount',
] %}

with

raw_experiments as {{ inlined() }} (
    select
        experiment_id,
        customer_id,
        arm,
        assigned_at,
        cost_amount
    from {{ source('shop', 'experiments') }}
),

{{ marked_rows('raw_experiments', key=['experiment_id', 'customer_id']) }},

future as (
    {{ first_future_dates('raw_experiments', 'assigned_at') }}
),

judged as {{ inlined() }} (
    select
        marked.*,
        {{ rejection_reasons([
            reject_missing('experiment_id'),
            reject_missing('customer_id'),
            reject_missing('arm'),
            reject_missing('assigned_at'),
            reject_bad_moment('assigned_at', '(select first_future_date from future)'),
            reject_bad_number('cost_amount'),
        ]) }} as rejection_reasons
    from marked
),

typed as {{ inlined() }} (
    select
        experiment_id,
        customer_id,
        arm,
        {{ parsed_timestamp('assigned_at') }} as assigned_at,
        {{ parsed_money('cost_amount') }} as cost_amount,
        rejection_reasons,
        is_repeated,
        {{ content_to_keep(columns) }} as row_content
    from judged
),

{{ settled_rows('typed', columns, key=['experiment_id', 'customer_id']) }}

select * from final
