-- Customers counted and added up by each way of grouping them: from here on no one need
-- be told apart. Places are kept whole, city in region in country, since what may be
-- shown of a city depends on what is shown of its region.
{% set places = segment_kinds()['geographic'] %}
{% set types = segment_types() | reject('in', places) | list %}

with

customers as {{ inlined() }} (
    select
        {% for segment_type in segment_types() -%}
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

final as (
    {% for segment_type in types + ['place'] -%}
    {% set is_place = segment_type == 'place' -%}
    select
        '{{ segment_type }}' as segment_type,
        {{ 'country' if is_place else "'all'" }} as place_country,
        {{ 'region' if is_place else "'all'" }} as place_region,
        {{ 'city' if is_place else segment_type }} as segment,
        count(*) as customer_count,
        count(case when is_buyer then 1 end) as buyer_count,
        count(case when is_active then 1 end) as active_customer_count,
        count(case when is_churned then 1 end) as churned_customer_count,
        count(lifetime_value_amount) as valued_customer_count,
        count(channel_churn_rate) as churn_rate_count,
        count(is_retained) as earlier_buyer_count,
        count(case when is_retained then 1 end) as returning_customer_count,
        count(churn_probability_rate) as scored_customer_count,
        count(latest_score) as answered_customer_count,
        count(case when latest_score >= 9 then 1 end) as promoter_count,
        count(case when latest_score <= 6 then 1 end) as detractor_count,
        sum(churn_probability_rate) as churn_probability_rate_sum,
        sum(channel_churn_rate) as channel_churn_rate_sum,
        sum(mean_monthly_margin_amount) as monthly_margin_sum_amount,
        coalesce(sum(historic_revenue_amount), 0) as revenue_amount,
        coalesce(sum(historic_margin_amount), 0) as margin_amount,
        sum(residual_value_amount) as residual_value_amount,
        sum(lifetime_value_amount) as value_amount
    from customers
    group by {{ 'country, region, city' if is_place else segment_type }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
)

select * from final
