-- No row may speak of a person. A group with too few customers, or with buyers too few
-- to show their revenue, is merged into 'other'; if 'other' itself is too small, the
-- group 'unknown' goes with it, else the smallest of the others: were 'other' left out,
-- it would still be what the total has and the other rows have not. A shop with too few
-- buyers or customers all together has no rows.
{% set segment_types = [
    'rfm_segment', 'value_tier', 'churn_state', 'purchase_frequency',
    'favourite_category', 'acquisition_channel', 'country', 'region', 'gender',
    'age_band', 'income_band', 'lifestyle',
] %}
{% set minimum = var('segment_minimum_customers', 10) | int %}

with

customers as (
    select
        customer_id,
        {% for segment_type in segment_types -%}
        coalesce({{ segment_type }}, 'unknown') as {{ segment_type }},
        {% endfor -%}
        case when churn_state != 'churned' then 1 end as is_active,
        case when churn_state = 'churned' then 1 end as is_churned
    from {{ ref('fct_customer_segments') }}
),

customer_values as (
    select
        customer_id,
        historic_revenue_amount,
        historic_margin_amount,
        mean_monthly_margin_amount,
        -- a decimal: its sum does not depend on the order of the rows
        cast(monthly_churn_rate as decimal(18, 12)) as monthly_churn_rate,
        lifetime_value_amount
    from {{ ref('fct_customer_value') }}
),

-- All segment types in one pass over the customers.
grouped as (
    select
        case
            {% for segment_type in segment_types -%}
            when grouping(customers.{{ segment_type }}) = 0 then '{{ segment_type }}'
            {% endfor -%}
        end as segment_type,
        coalesce(
            {% for segment_type in segment_types -%}
            customers.{{ segment_type }}{{ ',' if not loop.last }}
            {% endfor -%}
        ) as segment,
        count(*) as customer_count,
        count(customer_values.customer_id) as buyer_count,
        count(customers.is_active) as active_customer_count,
        count(customers.is_churned) as churned_customer_count,
        count(customer_values.lifetime_value_amount) as valued_customer_count,
        count(customer_values.monthly_churn_rate) as churn_rate_count,
        sum(customer_values.monthly_churn_rate) as monthly_churn_rate_sum,
        sum(customer_values.mean_monthly_margin_amount) as monthly_margin_amount,
        sum(customer_values.historic_revenue_amount) as revenue_amount,
        sum(customer_values.historic_margin_amount) as margin_amount,
        sum(customer_values.lifetime_value_amount) as value_amount
    from customers
    left join customer_values on customers.customer_id = customer_values.customer_id
    group by grouping sets (
        {% for segment_type in segment_types -%}
        (customers.{{ segment_type }}){{ ',' if not loop.last }}
        {% endfor -%}
    )
),

-- Who is merged first. A group without buyers comes last: it can't hide any revenue.
sized as (
    select
        segment_type,
        segment,
        case
            when
                customer_count < {{ minimum }}
                or buyer_count between 1 and {{ minimum - 1 }}
                then 'small'
            when buyer_count > 0 and segment = 'unknown' then 'unknown'
            when buyer_count > 0 then 'with buyers'
            else 'without buyers'
        end as size,
        customer_count,
        buyer_count
    from grouped
),
merged as (
    select
        segment_type,
        case when is_merged_in = 1 then 'other' else segment end as segment,
        sum(customer_count) as customer_count,
        sum(buyer_count) as buyer_count,
        sum(active_customer_count) as active_customer_count,
        sum(churned_customer_count) as churned_customer_count,
        sum(valued_customer_count) as valued_customer_count,
        sum(churn_rate_count) as churn_rate_count,
        sum(monthly_churn_rate_sum) as monthly_churn_rate_sum,
        sum(monthly_margin_amount) as monthly_margin_amount,
        coalesce(sum(revenue_amount), 0) as revenue_amount,
        coalesce(sum(margin_amount), 0) as margin_amount,
        sum(value_amount) as value_amount,
        max(is_merged_in) as is_merged
    from named
    group by segment_type, case when is_merged_in = 1 then 'other' else segment end
),

averaged as (
    select
        merged.*,
        {{ money(ratio('monthly_margin_amount', 'buyer_count')) }}
            as mean_monthly_margin_amount,
        {{ ratio('monthly_churn_rate_sum', 'churn_rate_count') }} as monthly_churn_rate,
        sum(value_amount) over (partition by segment_type) as type_value_amount
    from merged
    where
        customer_count >= {{ minimum }}
        and (buyer_count = 0 or buyer_count >= {{ minimum }})
),

final as (
    select
        segment_type,
        segment,
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
        monthly_churn_rate,
        {{ money(discounted_sum(
            'mean_monthly_margin_amount',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1),
            retention='1 - monthly_churn_rate', survival='flat'
        )) }} as classic_clv_amount,
        {{ money(discounted_sum(
            'mean_monthly_margin_amount',
            setting_number('discount_rate_annual', minimum=0, maximum=10),
            setting_number('value_horizon_months', minimum=1),
            retention='1 - monthly_churn_rate', survival='geometric'
        )) }} as geometric_clv_amount,
        {{ money('value_amount') }} as value_amount,
        case when type_value_amount > 0 then
            {{ ratio('value_amount', 'type_value_amount') }}
        end as share_of_value_rate,
        is_merged = 1 as is_merged
    from averaged
)

select * from final
