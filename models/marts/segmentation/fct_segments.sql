-- What each group of customers brings, and whether it stays. Who is in which row is
-- said in int_segments_named, which merges groups that are too small. A figure that
-- only some customers have (who answered, was scored, or had bought before) is NULL
-- where these are too few, and in the next smallest segment too, where the NULLs of the
-- type would still be of too few. A shop with too few buyers or customers altogether
-- has no rows.
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}
{% set figures = [
    'customer_count', 'buyer_count', 'active_customer_count', 'churned_customer_count',
    'valued_customer_count', 'churn_rate_count', 'earlier_buyer_count',
    'returning_customer_count', 'scored_customer_count', 'answered_customer_count',
    'promoter_count', 'detractor_count', 'churn_probability_rate_sum',
    'channel_churn_rate_sum', 'monthly_margin_sum_amount', 'revenue_amount',
    'margin_amount', 'residual_value_amount', 'value_amount',
] %}
{% set withheld = [
    'earlier_buyer_count', 'scored_customer_count', 'answered_customer_count',
] %}

with

named as (
    select
        segment_type,
        segment,
        segment_shown,
        {% for counted in withheld -%}
        {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        {{ figure }},
        {% endfor -%}
        is_merged_place
    from {{ ref('int_segments_named') }}
),

merged as (
    select
        segment_type,
        segment_shown,
        {% for counted in withheld -%}
        max({{ counted }}_is_withheld) as {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        sum({{ figure }}) as {{ figure }},
        {% endfor -%}
        count(*) as group_count,
        count(case when is_merged_place then 1 end) as place_count,
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
                shown.{{ counted }}_is_withheld = 0
                and shown.{{ counted }} >= {{ minimum }}
                and coalesce(
                    shown.{{ counted }}_before not between 1 and {{ minimum - 1 }}, true
                )
                then shown.{{ counted }}
        end as {{ counted }}_told,
        {% endfor -%}
        {{ money(ratio('shown.monthly_margin_sum_amount', 'shown.buyer_count')) }}
            as mean_monthly_margin_amount,
        {{ ratio('shown.channel_churn_rate_sum', 'shown.churn_rate_count') }}
            as channel_churn_rate,
        shown.segment_shown = 'other'
        and (
            shown.place_count > 0
            or shown.group_count > 1
            or shown.last_segment != 'other'
        ) as is_merged
    from shown
),

final as (
    select
        case segment_type
            {% for segment_kind, segment_types in segment_kinds().items() -%}
            {% for segment_type in segment_types -%}
            when '{{ segment_type }}' then '{{ segment_kind }}'
            {% endfor -%}
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
            as churn_risk_rate,
        cast(earlier_buyer_count as bigint) as earlier_buyer_count,
        {{ ratio('returning_customer_count', 'earlier_buyer_count_told') }}
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
