with

counted as (
    select
        input_name,
        row_outcome,
        row_date,
        row_count
    from {{ ref('int_commerce_rows_counted') }}

    union all

    select
        input_name,
        row_outcome,
        row_date,
        row_count
    from {{ ref('int_marketing_rows_counted') }}
),

cutoffs as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
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
        min(counted.row_date) as first_date,
        max(counted.row_date) as last_date,
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

day_pairs as (
    select
        input_name,
        row_date,
        lag(row_date) over (partition by input_name order by row_date)
            as previous_date
    from counted
    where row_date is not null
),

-- the habit of the last year: how long nothing came
gaps as (
    select
        day_pairs.input_name,
        max({{ days_between('day_pairs.previous_date', 'day_pairs.row_date') }})
            as longest_gap_days
    from day_pairs
    inner join summed on day_pairs.input_name = summed.input_name
    where {{ days_between('day_pairs.row_date', 'summed.last_date') }} < 365
    group by day_pairs.input_name
),

dated as (
    select
        summed.input_name,
        greatest({{ days_between('summed.last_date', 'cutoffs.cutoff_date') }}, 0)
            as days_behind,
        gaps.longest_gap_days
    from summed
    cross join cutoffs
    inner join gaps on summed.input_name = gaps.input_name
),

final as (
    select
        summed.input_name,
        summed.first_date,
        summed.last_date,
        cast(dated.days_behind as bigint) as days_behind,
        cast(dated.longest_gap_days as bigint) as longest_gap_days,
        remarks.remark,
        cast(summed.raw_row_count as bigint) as raw_row_count,
        cast(summed.accepted_row_count as bigint) as accepted_row_count,
        cast(summed.quarantined_row_count as bigint) as quarantined_row_count,
        cast(summed.duplicate_row_count as bigint) as duplicate_row_count,
        {{ ratio('summed.quarantined_row_count', 'summed.raw_row_count') }}
            as quarantined_rate,
        dated.days_behind > dated.longest_gap_days as is_late
    from summed
    left join dated on summed.input_name = dated.input_name
    left join remarks on summed.input_name = remarks.input_name
)

select * from final
