-- What each attribution model credits to a channel in a month of orders. Five models
-- divide an order and the customer it wins among the touches of its path. Markov
-- divides all that has touches in the month among the channels of those touches, in
-- proportion to their removal effects (Anderl et al. 2016); if none has an effect, as
-- linear does. New customers are divided by the effects on first orders, among the
-- channels touched before one; all else by those on all orders. Without touches, a
-- guest's order among them, all goes to the acquisition channel. A refund entry has the
-- path of the customer's order before it.
-- Shares and credits are differences of rounded sums, from touch to touch and from
-- channel to channel: the last one takes what rounding leaves, so that each month adds
-- up to the last digit.
{% set path_models = [
    'first_touch', 'last_touch', 'linear', 'position_based', 'time_decay',
] %}
{% set measures = ['new_customers', 'orders', 'revenue', 'margin'] %}
{# times money of 18 digits, the product has 37 digits on DuckDB and 38 on Spark: with
   one digit less DuckDB would keep 18, with one more Spark would drop decimals #}
{% set shares = 'decimal(19, 8)' %}
{% set month_shares = 'decimal(38, 12)' %}
{% set points = 'decimal(38, 18)' %}
{% set path = '(partition by customer_id, order_number)' %}
{% set path_so_far -%}
(
    partition by customer_id, order_number
    order by touch_number
    rows between unbounded preceding and current row
)
{%- endset %}
{% set channels = '(partition by attribution_model, calendar_month)' %}
{% set channels_so_far -%}
(
    partition by attribution_model, calendar_month
    order by channel
    rows between unbounded preceding and current row
)
{%- endset %}
{% set channels_in_order -%}
(
    partition by attribution_model, calendar_month
    order by channel
)
{%- endset %}

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
        max(case when path_scope = 'all_orders' then removal_effect_rate end)
            as removal_effect_rate,
        max(case when path_scope = 'first_orders' then removal_effect_rate end)
            as first_order_removal_effect_rate
    from {{ ref('int_channel_removal_effects') }}
    group by channel
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

weighed as (
    select
        customer_id,
        order_number,
        channel,
        touch_number,
        path_touch_count,
        -- half as much for each week earlier
        cast(power(0.5, {{ ratio('days_before_order', '7') }}) as {{ points }})
            as time_decay_points
    from touches
),

weighed_so_far as (
    select
        customer_id,
        order_number,
        channel,
        touch_number,
        path_touch_count,
        time_decay_points,
        sum(time_decay_points) over {{ path_so_far }} as time_decay_so_far,
        sum(time_decay_points) over {{ path }} as time_decay_total
    from weighed
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
        ) as time_decay_share
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
        {%- for model in path_models %}
        cast(coalesce(touch_shares.{{ model }}_share, 0) as {{ shares }})
            as {{ model }}_share,
        {%- endfor %}
        case when touch_shares.customer_id is null then 0 else 1 end as touched
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
        {%- for measure in measures %}
        {%- for model in path_models %}
        sum({{ model }}_share * {{ measure }}) as {{ model }}_{{ measure }},
        {%- endfor %}
        sum((1 - touched) * {{ measure }}) as untouched_{{ measure }},
        {%- endfor %}
        max(touched) as touched,
        max(touched * new_customers) as touched_before_first_order
    from shared
    group by calendar_month, channel
),

mean_effect as (
    select
        {{ ratio(
            'sum(cast(removal_effect_rate as ' ~ points ~ '))',
            'count(removal_effect_rate)'
        ) }} as removal_effect_rate,
        {{ ratio(
            'sum(cast(first_order_removal_effect_rate as ' ~ points ~ '))',
            'count(first_order_removal_effect_rate)'
        ) }} as first_order_removal_effect_rate
    from removal_effects
),

attribution_models as (
    {%- for model in path_models + ['markov'] %}
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
        summed.untouched_{{ measure }},
        case attribution_models.attribution_model
            {%- for model in path_models %}
            when '{{ model }}' then summed.{{ model }}_{{ measure }}
            {%- endfor %}
            else summed.linear_{{ measure }}
        end as touched_{{ measure }},
        {%- endfor %}
        removal_effects.removal_effect_rate,
        removal_effects.first_order_removal_effect_rate,
        -- a channel too young for the chain counts like the mean one
        case
            when attribution_models.attribution_model = 'markov' and summed.touched = 1
                then
                    cast(
                        coalesce(
                            removal_effects.removal_effect_rate,
                            mean_effect.removal_effect_rate
                        ) as {{ points }}
                    )
        end as markov_points,
        case
            when
                attribution_models.attribution_model = 'markov'
                and summed.touched_before_first_order = 1
                then
                    cast(
                        coalesce(
                            removal_effects.first_order_removal_effect_rate,
                            mean_effect.first_order_removal_effect_rate
                        ) as {{ points }}
                    )
        end as first_order_markov_points
    from summed
    cross join attribution_models
    cross join mean_effect
    left join removal_effects
        on
            summed.channel = removal_effects.channel
            and attribution_models.attribution_model = 'markov'
),

-- without points, as in the other models, each channel keeps what its touches have
by_model_so_far as (
    select
        attribution_model,
        calendar_month,
        channel,
        {%- for measure in measures %}
        {%- set markov_points = (
            'first_order_markov_points' if measure == 'new_customers'
            else 'markov_points'
        ) %}
        {%- set markov_share_so_far -%}
            cast(
                {{ ratio(
                    'sum(' ~ markov_points ~ ') over ' ~ channels_so_far,
                    'sum(' ~ markov_points ~ ') over ' ~ channels
                ) }} as {{ month_shares }}
            )
        {%- endset %}
        {{ money(
            'sum(untouched_' ~ measure ~ ') over ' ~ channels_so_far ~ ' + coalesce('
            ~ money('sum(touched_' ~ measure ~ ') over ' ~ channels)
            ~ ' * ' ~ markov_share_so_far
            ~ ', sum(touched_' ~ measure ~ ') over ' ~ channels_so_far ~ ')'
        ) }} as {{ measure }}_so_far,
        {%- endfor %}
        untouched_orders,
        untouched_revenue,
        removal_effect_rate,
        first_order_removal_effect_rate
    from by_model
),

final as (
    select
        attribution_model,
        calendar_month,
        channel,
        {%- for measure, name in [
            ('new_customers', 'attributed_new_customers'),
            ('orders', 'attributed_orders'),
            ('revenue', 'attributed_revenue_amount'),
            ('margin', 'attributed_margin_amount'),
        ] %}
        {{ money(
            measure ~ '_so_far - coalesce(lag(' ~ measure ~ '_so_far) over '
            ~ channels_in_order ~ ', 0)'
        ) }} as {{ name }},
        {%- endfor %}
        cast(untouched_orders as bigint) as untouched_order_count,
        {{ money('untouched_revenue') }} as untouched_revenue_amount,
        removal_effect_rate,
        first_order_removal_effect_rate
    from by_model_so_far
)

select * from final
