-- No row may speak of a person. A group with too few customers, or with buyers too few
-- to show their revenue, is merged into 'other'; if 'other' itself is too small, the
-- group 'unknown' goes with it, else the smallest of the others: were 'other' left out,
-- it would still be what the total has and the other rows have not. A shop with too few
-- buyers or customers all together has no rows. Likewise a figure of fewer customers
-- (those who answered, were scored, or had bought before) is NULL, and that of the next
-- smallest segment too, where the NULLs of the type would still be of too few.
{% set segment_kinds = {
    'behavioural': [
        'stage', 'churn_state', 'rfm_segment', 'cluster_name', 'purchase_frequency',
        'favourite_category',
    ],
    'value': ['value_tier'],
    'acquisition': ['acquisition_channel'],
    'geographic': ['country', 'region', 'city'],
    'demographic': ['gender', 'age_band', 'income_band'],
    'psychographic': ['lifestyle', 'main_interest'],
} %}
{% set segment_types = segment_kinds.values() | sum(start=[]) %}
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}

{% set figures = [
    'customer_count', 'buyer_count', 'active_customer_count', 'churned_customer_count',
    'valued_customer_count', 'churn_rate_count', 'earlier_buyer_count',
    'retained_customer_count', 'scored_customer_count', 'answered_customer_count',
    'promoter_count', 'detractor_count', 'churn_probability_rate_sum',
    'channel_churn_rate_sum', 'monthly_margin_amount', 'revenue_amount',
    'margin_amount', 'residual_value_amount', 'value_amount',
] %}
{% set withheld = [
    'earlier_buyer_count', 'scored_customer_count', 'answered_customer_count',
] %}

with

customers as (
    select
        {% for segment_type in segment_types -%}
        coalesce({{ segment_type }}, 'unknown') as {{ segment_type }},
        {% endfor -%}
        historic_revenue_amount,
        historic_margin_amount,
        mean_monthly_margin_amount,
        -- decimals: their sums do not depend on the order of the rows
        cast(channel_churn_rate as decimal(18, 12)) as channel_churn_rate,
        residual_value_amount,
        lifetime_value_amount,
        latest_score,
        is_retained,
        case
            when churn_state != 'churned'
                then cast(churn_probability_rate as decimal(18, 12))
        end as churn_probability_rate,
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
        count(is_retained) as earlier_buyer_count,
        count(*) filter (where is_retained) as retained_customer_count,
        count(churn_probability_rate) as scored_customer_count,
        count(latest_score) as answered_customer_count,
        count(*) filter (where latest_score >= 9) as promoter_count,
        count(*) filter (where latest_score <= 6) as detractor_count,
        sum(churn_probability_rate) as churn_probability_rate_sum,
        sum(channel_churn_rate) as channel_churn_rate_sum,
        sum(mean_monthly_margin_amount) as monthly_margin_amount,
        coalesce(sum(historic_revenue_amount), 0) as revenue_amount,
        coalesce(sum(historic_margin_amount), 0) as margin_amount,
        sum(residual_value_amount) as residual_value_amount,
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
        {% for figure in figures -%}
        sum({{ figure }}) as {{ figure }},
        {% endfor -%}
        count(*) as group_count,
        max(segment) as last_segment
    from named
    group by segment_type, segment_shown
),

shown as (
    select
        merged.*,
        {% for counted in withheld -%}
        sum(merged.{{ counted }}) over (
            partition by merged.segment_type
            order by merged.{{ counted }}, merged.segment_shown
            rows between unbounded preceding and 1 preceding
        ) as {{ counted }}_before,
        {% endfor -%}
        sum(merged.value_amount) over (partition by merged.segment_type)
            as type_value_amount
    from merged
    where
        merged.customer_count >= {{ minimum }}
        and (merged.buyer_count = 0 or merged.buyer_count >= {{ minimum }})
),

-- what may not be told is divided by nothing
averaged as (
    select
        shown.*,
        {% for counted in withheld -%}
        case
            when
                shown.{{ counted }} >= {{ minimum }}
                and coalesce(
                    shown.{{ counted }}_before not between 1 and {{ minimum - 1 }}, true
                )
                then shown.{{ counted }}
        end as {{ counted }}_told,
        {% endfor -%}
        {{ money(ratio('shown.monthly_margin_amount', 'shown.buyer_count')) }}
            as mean_monthly_margin_amount,
        {{ ratio('shown.channel_churn_rate_sum', 'shown.churn_rate_count') }}
            as channel_churn_rate,
        shown.segment_shown = 'other'
        and (shown.group_count > 1 or shown.last_segment != 'other') as is_merged
    from shown
),

final as (
    select
        case
            {% for segment_kind, types in segment_kinds.items() -%}
            when segment_type in ('{{ types | join("', '") }}')
                then '{{ segment_kind }}'
            {% endfor -%}
        end as segment_kind,
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
        cast(scored_customer_count as bigint) as scored_customer_count,
        {{ ratio('churn_probability_rate_sum', 'scored_customer_count_told') }}
            as mean_churn_probability_rate,
        cast(earlier_buyer_count as bigint) as earlier_buyer_count,
        {{ ratio('retained_customer_count', 'earlier_buyer_count_told') }}
            as retained_rate,
        cast(answered_customer_count as bigint) as answered_customer_count,
        100 * {{ ratio(
            'promoter_count - detractor_count', 'answered_customer_count_told'
        ) }} as nps_points,
        {% for side in ['lower', 'upper'] -%}
        {{ net_promoter_bound(
            'promoter_count', 'detractor_count', 'answered_customer_count_told', side
        ) }} as nps_95_{{ side }}_points,
        {% endfor -%}
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
        {{ money('residual_value_amount') }} as residual_value_amount,
        {{ money(ratio('residual_value_amount', 'valued_customer_count')) }}
            as mean_residual_value_amount,
        {{ money('value_amount') }} as value_amount,
        {{ money(ratio('value_amount', 'valued_customer_count')) }}
            as mean_lifetime_value_amount,
        {{ ratio(
            'value_amount', 'case when type_value_amount > 0 then type_value_amount end'
        ) }} as share_of_value_rate,
        is_merged
    from averaged
)

select * from final
