with

counted as (
    select
        input_name,
        row_outcome,
        row_count,
        first_date,
        last_date
    from {{ ref('int_commerce_rows_counted') }}

    union all

    select
        input_name,
        row_outcome,
        row_count,
        first_date,
        last_date
    from {{ ref('int_marketing_rows_counted') }}
),

inputs as (
    {% for input_name in [
        'orders', 'customers', 'order_items', 'products', 'marketing_spend',
        'touchpoints', 'events', 'surveys', 'subscriptions', 'experiments',
    ] -%}
    select '{{ input_name }}' as input_name
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

statuses_unknown as (
    select
        orders.status,
        count(*) as order_count
    from {{ ref('stg_shop__orders') }} as orders
    left join {{ ref('order_statuses') }} as statuses
        on orders.status = statuses.status
    where orders.status is not null and statuses.status is null
    group by orders.status
),

remarks as (
    select
        'orders' as input_name,
        'Unknown status counted as completed: '
        || {{ sorted_list(
            "status || ' (' || cast(order_count as " ~ dbt.type_string() ~ ") || ')'"
        ) }} as remark
    from statuses_unknown
),

summed as (
    select
        inputs.input_name,
        min(counted.first_date) as first_date,
        max(counted.last_date) as last_date,
        coalesce(sum(counted.row_count), 0) as raw_row_count,
        coalesce(
            sum(
                case when counted.row_outcome = 'accepted' then counted.row_count end
            ), 0
        ) as accepted_row_count,
        coalesce(
            sum(
                case when counted.row_outcome = 'quarantined' then counted.row_count end
            ), 0
        ) as quarantined_row_count,
        coalesce(
            sum(
                case when counted.row_outcome = 'duplicate' then counted.row_count end
            ), 0
        ) as duplicate_row_count
    from inputs
    left join counted on inputs.input_name = counted.input_name
    group by inputs.input_name
),

final as (
    select
        summed.input_name,
        summed.first_date,
        summed.last_date,
        remarks.remark,
        cast(summed.raw_row_count as bigint) as raw_row_count,
        cast(summed.accepted_row_count as bigint) as accepted_row_count,
        cast(summed.quarantined_row_count as bigint) as quarantined_row_count,
        cast(summed.duplicate_row_count as bigint) as duplicate_row_count,
        {{ ratio('summed.quarantined_row_count', 'summed.raw_row_count') }}
            as quarantined_rate
    from summed
    left join remarks on summed.input_name = remarks.input_name
)

select * from final
