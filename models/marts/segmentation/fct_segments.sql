-- No row may speak of a person. A group with too few customers, or with buyers too few
-- to show their revenue, is merged into 'other'; if 'other' itself is too small, the
-- group 'unknown' goes with it, else the smallest of the others: were 'other' left out,
-- it would still be what the total has and the other rows have not. A shop with too few
-- buyers or customers all together has no rows.
{% set segment_types = [
    'rfm_segment', 'value_tier', 'churn_state', 'cluster_name',
    'purchase_frequency', 'favourite_category', 'acquisition_channel', 'country',
    'region', 'gender', 'age_band', 'income_band', 'lifestyle',
] %}
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}

with

customers as (
    select
        {% for segment_type in segment_types -%}
        coalesce({{ segment_type }}, 'unknown') as {{ segment_type }},
        {% endfor -%}
        historic_revenue_amount,
        historic_margin_amount,
        mean_monthly_margin_amount,
        -- a decimal: its sum does not depend on the order of the rows
        cast(channel_churn_rate as decimal(18, 12)) as channel_churn_rate,
        lifetime_value_amount,
        purchase_count > 0 as is_buyer,
        churn_state != 'churned' as is_active,
        churn_state = 'churned' as is_churned
    from {{ ref('fct_customer_segments') }}
),

grouped as (
    {% for segment_type in segment_types -%}
    select
        '{{ segment_type }}' as segment_type,
        {{ segment_type }} as segment,
        count(*) as customer_count,
        count(*) filter (where is_buyer) as buyer_count,
        count(*) filter (where is_active) as active_customer_count,
        count(*) filter (where is_churned) as churned_customer_count,
        count(lifetime_value_amount) as valued_customer_count,
        count(channel_churn_rate) as churn_rate_count,
        sum(channel_churn_rate) as channel_churn_rate_sum,
        sum(mean_monthly_margin_amount) as monthly_margin_amount,
        coalesce(sum(historic_revenue_amount), 0) as revenue_amount,
        coalesce(sum(historic_margin_amount), 0) as margin_amount,
        sum(lifetime_value_amount) as value_amount
    from customers
    group by {{ segment_type }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- Who is merged first. A group without buyers comes last: it can't hide any revenue.
sized as (
    select
        grouped.*,
        case
            when
                grouped.customer_count < {{ minimum }}
                or grouped.buyer_count between 1 and {{ minimum - 1 }}
                then 0
            when grouped.buyer_count > 0 and grouped.segment = 'unknown' then 1
            when grouped.buyer_count > 0 then 2
            else 3
        end as merge_class
    from grouped
),

queued as (
    select
        sized.*,
        sum(sized.customer_count) over groups_before as customers_before_count,
        sum(sized.buyer_count) over groups_before as buyers_before_count
    from sized
    window groups_before as (
        partition by sized.segment_type
        order by
            sized.merge_class,
            sized.buyer_count,
            sized.customer_count,
            sized.segment
        rows between unbounded preceding and 1 preceding
    )
),

named as (
    select
        queued.*,
        case
            when queued.merge_class = 0 then 'other'
            when queued.customers_before_count < {{ minimum }} then 'other'
            when queued.buyers_before_count between 1 and {{ minimum - 1 }} then 'other'
            else queued.segment
        end as segment_shown
    from queued
),

merged as (
    select
        segment_type,
        segment_shown,
        sum(customer_count) as customer_count,
        sum(buyer_count) as buyer_count,
        sum(active_customer_count) as active_customer_count,
        sum(churned_customer_count) as churned_customer_count,
        sum(valued_customer_count) as valued_customer_count,
        sum(churn_rate_count) as churn_rate_count,
        sum(channel_churn_rate_sum) as channel_churn_rate_sum,
        sum(monthly_margin_amount) as monthly_margin_amount,
        sum(revenue_amount) as revenue_amount,
        sum(margin_amount) as margin_amount,
        sum(value_amount) as value_amount,
        count(*) as group_count,
        max(segment) as last_segment
    from named
    group by segment_type, segment_shown
),

averaged as (
    select
        merged.*,
        {{ money(ratio('merged.monthly_margin_amount', 'merged.buyer_count')) }}
            as mean_monthly_margin_amount,
        {{ ratio('merged.channel_churn_rate_sum', 'merged.churn_rate_count') }}
            as channel_churn_rate,
        sum(merged.value_amount) over (partition by merged.segment_type)
            as type_value_amount,
        merged.group_count > 1 or merged.last_segment != merged.segment_shown
            as is_merged
    from merged
    where
        merged.customer_count >= {{ minimum }}
        and (merged.buyer_count = 0 or merged.buyer_count >= {{ minimum }})
),

final as (
    select
        segment_type,
        segment_shown as segment,
        cast(customer_count as bigint) as customer_count,
        cast(buyer_count as bigint) as buyer_count,
        cast(active_customer_count as bigint) as active_customer_count,
        cast(churned_customer_count as bigint) as churned_customer_count,
        cast(valued_customer_count as bigint) as valued_customer_count,
        {{ ratio(
            'churned_customer_count', 'active_customer_count + churned_customer_count'
        ) }} as churned_rate,
        {{ money('revenue_amount') }} as revenue_amount,
        {{ money('margin_amount') }} as margin_amount,
        mean_monthly_margin_amount,
        channel_churn_rate,
        {{ money(discounted_sum(
            'mean_monthly_margin_amount',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1, whole=true),
            retention='1 - channel_churn_rate', survival='flat'
        )) }} as classic_clv_amount,
        {{ money(discounted_sum(
            'mean_monthly_margin_amount',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1, whole=true),
            retention='1 - channel_churn_rate', survival='geometric'
        )) }} as geometric_clv_amount,
        {{ money('value_amount') }} as value_amount,
        {{ ratio(
            'value_amount', 'case when type_value_amount > 0 then type_value_amount end'
        ) }} as share_of_value_rate,
        is_merged
    from averaged
)

select * from final
