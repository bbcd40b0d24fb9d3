-- What each attribution model credits to a channel in a month of orders. An order and
-- the customer it wins are divided among the touches of its path by weights that add up
-- to 1 exactly: they are differences of rounded sums, so that the last one takes what
-- rounding leaves. Money is first added up with all digits, then rounded the same way
-- from channel to channel, so that each month adds up to the last digit.
-- Without touches, a guest's order among them, all goes to the acquisition channel. A
-- refund entry is taken back from those who had earned the customer's order before it.
{% set models = [
    'first_touch', 'last_touch', 'linear', 'position_based', 'time_decay', 'markov',
] %}
{% set measures = ['new_customers', 'orders', 'revenue', 'margin'] %}
{% set shares = 'decimal(18, 8)' %}
{% set points = 'decimal(38, 18)' %}

with

touches as (
    select
        customer_id,
        path_order_number as order_number,
        channel,
        touch_number,
        path_touch_count,
        days_before_order
    from {{ ref('int_attribution_touches') }}
    where path_outcome = 'converted'
),

removal_effects as (
    select
        channel,
        removal_effect_rate
    from {{ ref('int_channel_removal_effects') }}
),

orders as (
    select
        customer_id,
        ordered_at,
        order_date,
        order_month,
        order_number,
        order_amount,
        revenue_amount,
        margin_amount
    from {{ ref('fct_orders') }}
    where order_state = 'completed'
),

customers as (
    select
        customer_id,
        acquisition_channel,
        first_purchase_date,
        cohort_month
    from {{ ref('dim_customers') }}
),

-- the order of the day of the first purchase that is worth something
first_purchases as (
    select
        orders.customer_id,
        customers.cohort_month,
        coalesce(
            min(case when orders.revenue_amount > 0 then orders.order_number end),
            min(orders.order_number)
        ) as order_number
    from orders
    inner join customers
        on
            orders.customer_id = customers.customer_id
            and orders.order_date = customers.first_purchase_date
    group by orders.customer_id, customers.cohort_month
),

orders_with_refunds as (
    select
        customer_id,
        order_month,
        order_amount,
        revenue_amount,
        margin_amount,
        max(order_number) over (
            partition by customer_id
            order by ordered_at, case when order_amount < 0 then 1 else 0 end
        ) as last_order_number
    from orders
    where
        customer_id in (
            select refunds.customer_id
            from orders as refunds
            where refunds.order_amount < 0
        )
),

lines as (
    select
        customer_id,
        order_number,
        cohort_month as calendar_month,
        1 as new_customers,
        0 as orders,
        {{ money('0') }} as revenue,
        {{ money('0') }} as margin
    from first_purchases

    union all

    select
        customer_id,
        order_number,
        order_month as calendar_month,
        0 as new_customers,
        case when order_amount < 0 then 0 else 1 end as orders,
        revenue_amount as revenue,
        margin_amount as margin
    from orders
    where order_amount >= 0 or customer_id is null

    union all

    select
        customer_id,
        last_order_number as order_number,
        order_month as calendar_month,
        0 as new_customers,
        0 as orders,
        revenue_amount as revenue,
        margin_amount as margin
    from orders_with_refunds
    where order_amount < 0
),

mean_effect as (
    select
        {{ ratio(
            'sum(cast(removal_effect_rate as ' ~ points ~ '))',
            'count(removal_effect_rate)'
        ) }} as removal_effect_rate
    from removal_effects
),

weighed as (
    select
        touches.customer_id,
        touches.order_number,
        touches.channel,
        touches.touch_number,
        touches.path_touch_count,
        -- half as much for each week earlier
        cast(
            power(0.5, {{ ratio('touches.days_before_order', '7') }}) as {{ points }}
        ) as time_decay_points,
        -- a channel too young for the chain counts like the mean one
        cast(
            coalesce(
                removal_effects.removal_effect_rate, mean_effect.removal_effect_rate, 1
            ) as {{ points }}
        ) as markov_points
    from touches
    left join removal_effects on touches.channel = removal_effects.channel
    cross join mean_effect
),

weighed_so_far as (
    select
        customer_id,
        order_number,
        channel,
        touch_number,
        path_touch_count,
        time_decay_points,
        markov_points,
        sum(time_decay_points) over path_so_far as time_decay_so_far,
        sum(time_decay_points) over path as time_decay_total,
        sum(markov_points) over path_so_far as markov_so_far,
        sum(markov_points) over path as markov_total
    from weighed
    window
        path as (partition by customer_id, order_number),
        path_so_far as (
            partition by customer_id, order_number
            order by touch_number
            rows between unbounded preceding and current row
        )
),

touch_shares as (
    select
        customer_id,
        order_number,
        channel,
        case when touch_number = 1 then 1 else 0 end as first_touch_share,
        case when touch_number = path_touch_count then 1 else 0 end
            as last_touch_share,
        cast({{ ratio('touch_number', 'path_touch_count') }} as {{ shares }})
        - cast({{ ratio('touch_number - 1', 'path_touch_count') }} as {{ shares }})
            as linear_share,
        case
            when path_touch_count = 1 then 1
            when path_touch_count = 2 then 0.5
            when touch_number in (1, path_touch_count) then 0.4
            -- those between share 0.2 equally
            else
                cast(
                    {{ ratio('0.2 * (touch_number - 1)', 'path_touch_count - 2') }}
                    as {{ shares }}
                )
                - cast(
                    {{ ratio('0.2 * (touch_number - 2)', 'path_touch_count - 2') }}
                    as {{ shares }}
                )
        end as position_based_share,
        cast({{ ratio('time_decay_so_far', 'time_decay_total') }} as {{ shares }})
        - cast(
            {{ ratio('time_decay_so_far - time_decay_points', 'time_decay_total') }}
            as {{ shares }}
        ) as time_decay_share,
        -- channels whose removal would cost nothing share equally
        cast(
            coalesce(
                {{ ratio('markov_so_far', 'markov_total') }},
                {{ ratio('touch_number', 'path_touch_count') }}
            ) as {{ shares }}
        )
        - cast(
            coalesce(
                {{ ratio('markov_so_far - markov_points', 'markov_total') }},
                {{ ratio('touch_number - 1', 'path_touch_count') }}
            ) as {{ shares }}
        ) as markov_share
    from weighed_so_far
),

shared as (
    select
        lines.calendar_month,
        coalesce(touch_shares.channel, customers.acquisition_channel, 'unknown')
            as channel,
        lines.new_customers,
        lines.orders,
        lines.revenue,
        lines.margin,
        {%- for model in models %}
        cast(coalesce(touch_shares.{{ model }}_share, 1) as {{ shares }})
            as {{ model }}_share,
        {%- endfor %}
        touch_shares.customer_id is null as is_untouched
    from lines
    left join touch_shares
        on
            lines.customer_id = touch_shares.customer_id
            and lines.order_number = touch_shares.order_number
    left join customers on lines.customer_id = customers.customer_id
),

-- decimals times decimals: nothing is lost yet
summed as (
    select
        calendar_month,
        channel,
        {%- for model in models %}
        {%- for measure in measures %}
        sum({{ model }}_share * {{ measure }}) as {{ model }}_{{ measure }},
        {%- endfor %}
        {%- endfor %}
        sum(case when is_untouched then orders else 0 end) as untouched_order_count
    from shared
    group by calendar_month, channel
),

attribution_models as (
    {%- for model in models %}
    select '{{ model }}' as attribution_model
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

by_model as (
    select
        attribution_models.attribution_model,
        summed.calendar_month,
        summed.channel,
        {%- for measure in measures %}
        case attribution_models.attribution_model
            {%- for model in models %}
            when '{{ model }}' then summed.{{ model }}_{{ measure }}
            {%- endfor %}
        end as {{ measure }},
        {%- endfor %}
        summed.untouched_order_count
    from summed
    cross join attribution_models
),

by_model_so_far as (
    select
        attribution_model,
        calendar_month,
        channel,
        {%- for measure in measures %}
        {{ measure }},
        sum({{ measure }}) over channels_so_far as {{ measure }}_so_far,
        {%- endfor %}
        untouched_order_count
    from by_model
    window channels_so_far as (
        partition by attribution_model, calendar_month
        order by channel
        rows between unbounded preceding and current row
    )
),

final as (
    select
        by_model_so_far.attribution_model,
        by_model_so_far.calendar_month,
        by_model_so_far.channel,
        {%- for measure, name in [
            ('new_customers', 'attributed_new_customers'),
            ('orders', 'attributed_orders'),
            ('revenue', 'attributed_revenue_amount'),
            ('margin', 'attributed_margin_amount'),
        ] %}
        {{ money(
            money(measure ~ '_so_far') ~ ' - '
            ~ money(measure ~ '_so_far - ' ~ measure)
        ) }} as {{ name }},
        {%- endfor %}
        cast(by_model_so_far.untouched_order_count as bigint) as untouched_order_count,
        removal_effects.removal_effect_rate
    from by_model_so_far
    left join removal_effects
        on
            by_model_so_far.channel = removal_effects.channel
            and by_model_so_far.attribution_model = 'markov'
)

select * from final
