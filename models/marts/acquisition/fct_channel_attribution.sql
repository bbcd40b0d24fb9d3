-- Which channels earn the orders of a month, by six rules of sharing the credit. Each
-- rule shares out the same orders, new customers, revenue and margin; only who gets
-- them differs. Spend is that of the channel's month, whatever the rule; without spend
-- there is no CAC and no return.
with

credits as (
    select
        attribution_model,
        calendar_month,
        channel,
        attributed_new_customers,
        attributed_orders,
        attributed_revenue_amount,
        attributed_margin_amount,
        untouched_order_count,
        untouched_revenue_amount,
        removal_effect_rate,
        first_order_removal_effect_rate
    from {{ ref('int_attribution_credits') }}
),

spend as (
    select
        calendar_month,
        channel,
        spend_amount
    from {{ ref('fct_channel_months') }}
    where spend_amount != 0
),

live as (
    -- the first month whose end has not been seen
    select {{ month_start(add_days('cutoff_date', 1)) }} as first_open_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

attribution_models as (
    {%- for model in [
        'first_touch', 'last_touch', 'linear', 'position_based', 'time_decay',
        'markov',
    ] %}
    select '{{ model }}' as attribution_model
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

spend_by_model as (
    select
        attribution_models.attribution_model,
        spend.calendar_month,
        spend.channel,
        spend.spend_amount
    from spend
    cross join attribution_models
),

joined as (
    select
        coalesce(credits.attribution_model, spend_by_model.attribution_model)
            as attribution_model,
        coalesce(credits.calendar_month, spend_by_model.calendar_month)
            as calendar_month,
        coalesce(credits.channel, spend_by_model.channel) as channel,
        coalesce(credits.attributed_new_customers, 0) as attributed_new_customers,
        coalesce(credits.attributed_orders, 0) as attributed_orders,
        coalesce(credits.untouched_order_count, 0) as untouched_order_count,
        coalesce(credits.attributed_revenue_amount, 0) as attributed_revenue_amount,
        coalesce(credits.attributed_margin_amount, 0) as attributed_margin_amount,
        coalesce(credits.untouched_revenue_amount, 0) as untouched_revenue_amount,
        coalesce(spend_by_model.spend_amount, 0) as spend_amount,
        -- a refund of the platform is no spend to divide by
        case when spend_by_model.spend_amount > 0 then spend_by_model.spend_amount end
            as divisor_amount,
        credits.removal_effect_rate,
        credits.first_order_removal_effect_rate
    from credits
    full outer join spend_by_model
        on
            credits.attribution_model = spend_by_model.attribution_model
            and credits.calendar_month = spend_by_model.calendar_month
            and credits.channel = spend_by_model.channel
),

final as (
    select
        joined.attribution_model,
        joined.calendar_month,
        joined.channel,
        {{ money('joined.attributed_new_customers') }} as attributed_new_customers,
        {{ money('joined.attributed_orders') }} as attributed_orders,
        joined.untouched_order_count,
        {{ money('joined.attributed_revenue_amount') }} as attributed_revenue_amount,
        {{ money('joined.untouched_revenue_amount') }} as untouched_revenue_amount,
        {{ money('joined.attributed_margin_amount') }} as attributed_margin_amount,
        {{ money('joined.spend_amount') }} as spend_amount,
        {{ money(ratio('joined.divisor_amount', 'joined.attributed_new_customers')) }}
            as attributed_cac_amount,
        {{ ratio('joined.attributed_revenue_amount', 'joined.divisor_amount') }}
            as return_on_spend,
        {{ ratio('joined.attributed_margin_amount', 'joined.divisor_amount') }}
            as margin_return_on_spend,
        joined.removal_effect_rate,
        joined.first_order_removal_effect_rate,
        joined.calendar_month < live.first_open_month as is_mature
    from joined
    cross join live
)

select * from final
