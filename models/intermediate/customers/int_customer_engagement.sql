-- What customers did besides buying, by the evening of each cutoff: answers to surveys,
-- use of the product in the last window, and how much of their ordering goes through
-- the shop's main sales channel. Which channel that is, the orders by the test cutoff
-- say, so that it means the same at each cutoff.
{% set cutoff_names = ['test', 'train', 'live'] %}

with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        {{ add_days('cutoff_date', '-holdout_days') }} as recent_after_date
    from {{ ref('int_cutoff_dates') }}
),

orders as {{ inlined() }} (
    select
        customer_id,
        order_date,
        coalesce(sales_channel, 'unknown') as sales_channel
    from {{ ref('fct_orders') }}
    where order_state = 'completed' and not is_guest
),

surveys as (
    select
        customer_id,
        cast(responded_at as date) as responded_date,
        score
    from {{ ref('stg_shop__surveys') }}
),

events as (
    select
        customer_id,
        cast(occurred_at as date) as occurred_date
    from {{ ref('stg_shop__events') }}
),

dates as (
    select
        max(case when cutoff = 'test' then cutoff_date end) as test_date,
        max(case when cutoff = 'train' then cutoff_date end) as train_date,
        max(case when cutoff = 'live' then cutoff_date end) as live_date
    from cutoffs
),

channels as (
    select
        orders.sales_channel,
        count(*) as order_count
    from orders
    inner join dates on orders.order_date <= dates.test_date
    group by orders.sales_channel
),

ranked_channels as (
    select
        sales_channel,
        row_number() over (order by order_count desc, sales_channel asc)
            as channel_rank
    from channels
),

main_channels as (
    select sales_channel
    from ranked_channels
    where channel_rank = 1
),

-- once over the orders for all cutoffs
counted as (
    select
        {% for cutoff in cutoff_names %}
        count(case when orders.order_date <= dates.{{ cutoff }}_date then 1 end)
            as {{ cutoff }}_count,
        count(
            case
                when
                    orders.order_date <= dates.{{ cutoff }}_date
                    and orders.sales_channel = main_channels.sales_channel
                    then 1
            end
        ) as {{ cutoff }}_main_count,
        {% endfor %}
        orders.customer_id
    from orders
    cross join dates
    left join main_channels on orders.sales_channel = main_channels.sales_channel
    group by orders.customer_id
),

ordered as (
    {% for cutoff in cutoff_names %}
    select
        '{{ cutoff }}' as cutoff,
        customer_id,
        {{ ratio(cutoff ~ '_main_count', cutoff ~ '_count') }} as main_channel_rate
    from counted
    where {{ cutoff }}_count > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

answered as (
    select
        cutoffs.cutoff,
        surveys.customer_id,
        count(*) as survey_count,
        sum(surveys.score) as score_sum
    from surveys
    inner join cutoffs on surveys.responded_date <= cutoffs.cutoff_date
    group by cutoffs.cutoff, surveys.customer_id
),

used as (
    select
        cutoffs.cutoff,
        events.customer_id,
        count(*) as recent_use_count
    from events
    inner join cutoffs
        on
            events.occurred_date > cutoffs.recent_after_date
            and events.occurred_date <= cutoffs.cutoff_date
    group by cutoffs.cutoff, events.customer_id
),

gathered as (
    select
        cutoff,
        customer_id,
        main_channel_rate,
        0 as survey_count,
        0 as score_sum,
        0 as recent_use_count
    from ordered

    union all

    select
        cutoff,
        customer_id,
        null as main_channel_rate,
        survey_count,
        score_sum,
        0 as recent_use_count
    from answered

    union all

    select
        cutoff,
        customer_id,
        null as main_channel_rate,
        0 as survey_count,
        0 as score_sum,
        recent_use_count
    from used
),

final as (
    select
        cutoff,
        customer_id,
        max(main_channel_rate) as main_channel_rate,
        cast(sum(survey_count) as bigint) as survey_count,
        cast(sum(score_sum) as bigint) as survey_score_sum,
        cast(sum(recent_use_count) as bigint) as recent_use_count
    from gathered
    group by cutoff, customer_id
)

select * from final
