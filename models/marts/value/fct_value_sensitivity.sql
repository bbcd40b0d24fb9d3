-- What if customers stayed longer, purchases brought more, capital cost more, or
-- customers cost more to acquire? Each lever is moved by itself, and the expected
-- margins of each month are discounted again; what was earned so far stays.
-- Retention is what the months ahead imply for a year: the margin of a year over that
-- of the year before (halves of the horizon where it is shorter than two years),
-- seasons left out. Another retention multiplies the margin t years ahead by the t-th
-- power of new over old.
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}
{% set horizon = setting_number('value_horizon_months', minimum=1, whole=true) | int %}
{% set discount_rate = setting_number('discount_rate_annual', minimum=0, maximum=10) %}
{% set compared_months = [12, horizon // 2] | min %}
{% set highest_retention = 0.99 %}
{% set levers = ['retention', 'margin', 'discount_rate', 'cac'] %}
{% set retention_ratio = ratio(
    'assumed.annual_retention_rate', 'assumed.retention_rate'
) %}
{% set years_ahead = ratio('months.period_number - 0.5', 12) %}
{% set months_discount_factor = discount_factor(
    'assumed.annual_discount_rate', 'months.period_number', timing='mid'
) %}

with

customer_values as (
    select
        acquisition_channel,
        value_tier,
        historic_margin_amount,
        residual_value_amount,
        cac_amount
    from {{ ref('fct_customer_value') }}
    where residual_value_amount is not null
),

tiers as (
    select
        acquisition_channel,
        value_tier,
        channel_shown,
        tier_shown
    from {{ ref('int_channel_tiers') }}
),

-- decimals: their sums are the same in any order of rows
months as (
    select
        channel_shown,
        tier_shown,
        period_number,
        cast(expected_margin as decimal(38, 12)) as expected_margin,
        cast(unseasonal_margin as decimal(38, 12)) as unseasonal_margin
    from {{ ref('int_value_months') }}
),

-- a shop with too few customers altogether has no rows
grouped as (
    select
        tiers.channel_shown,
        tiers.tier_shown,
        count(*) as customer_count,
        sum(customer_values.historic_margin_amount) as historic_margin_amount,
        sum(customer_values.residual_value_amount) as residual_value_amount,
        {{ ratio(
            'sum(customer_values.cac_amount)', 'count(customer_values.cac_amount)'
        ) }} as mean_cac
    from customer_values
    inner join tiers
        on
            customer_values.acquisition_channel = tiers.acquisition_channel
            and customer_values.value_tier = tiers.value_tier
    group by tiers.channel_shown, tiers.tier_shown
    having count(*) >= {{ minimum }}
),

-- a horizon of one month has no later one to compare with
retentions as (
    select
        channel_shown,
        tier_shown,
        power(
            {{ ratio('sum(later_margin)', 'sum(first_margin)') }},
            {{ ratio(12, compared_months) }}
        ) as retention_rate
    from (
        select
            channel_shown,
            tier_shown,
            case when period_number <= {{ compared_months }} then unseasonal_margin end
                as first_margin,
            case
                when
                    period_number > {{ compared_months }}
                    and period_number <= {{ 2 * compared_months }}
                    then unseasonal_margin
            end as later_margin
        from months
    ) as halves
    group by channel_shown, tier_shown
),

changes as (
    {% for lever_change in [-0.2, -0.1, 0, 0.1, 0.2] -%}
    select cast({{ lever_change }} as {{ type_double() }}) as lever_change
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

moved as (
    {% for lever in levers -%}
    select
        {% for other_lever in levers -%}
        {{ 'lever_change' if lever == other_lever else 0 }} as {{ other_lever }}_change,
        {% endfor -%}
        '{{ lever }}' as lever,
        lever_change
    from changes
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

assumed as (
    select
        retentions.channel_shown,
        retentions.tier_shown,
        moved.lever,
        moved.lever_change,
        retentions.retention_rate,
        moved.retention_change,
        case
            when retentions.retention_rate is not null
                then
                    least(
                        retentions.retention_rate * (1 + moved.retention_change),
                        -- who stays for ever can't stay longer
                        greatest(retentions.retention_rate, {{ highest_retention }})
                    )
        end as annual_retention_rate,
        {{ discount_rate }} * (1 + moved.discount_rate_change) as annual_discount_rate,
        1 + moved.margin_change as margin_factor,
        1 + moved.cac_change as cac_factor
    from retentions
    cross join moved
),

discounted as (
    select
        assumed.channel_shown,
        assumed.tier_shown,
        assumed.lever,
        assumed.lever_change,
        assumed.annual_retention_rate,
        assumed.annual_discount_rate,
        assumed.cac_factor,
        sum(cast(
            months.expected_margin
            * assumed.margin_factor
            * case
                -- nothing moves, even if there is no retention to speak of
                when assumed.retention_change = 0 then 1
                else power({{ retention_ratio }}, {{ years_ahead }})
            end
            * {{ months_discount_factor }} as decimal(38, 12)
        )) as present_margin
    from assumed
    inner join months
        on
            assumed.channel_shown = months.channel_shown
            and assumed.tier_shown = months.tier_shown
    group by
        assumed.channel_shown,
        assumed.tier_shown,
        assumed.lever,
        assumed.lever_change,
        assumed.annual_retention_rate,
        assumed.annual_discount_rate,
        assumed.cac_factor
),

compared as (
    select
        discounted.*,
        max(case when discounted.lever_change = 0 then discounted.present_margin end)
            over (
                partition by
                    discounted.channel_shown, discounted.tier_shown, discounted.lever
            ) as present_margin_today
    from discounted
),

-- the sums of fct_customer_value, moved as the months say: unmoved they are these sums
-- to the last cent
valued as (
    select
        compared.channel_shown,
        compared.tier_shown,
        compared.lever,
        compared.lever_change,
        compared.annual_retention_rate,
        compared.annual_discount_rate,
        grouped.customer_count,
        grouped.historic_margin_amount,
        grouped.residual_value_amount as value_today_amount,
        {{ money(
            'case when compared.present_margin_today = 0 then 0 else '
            ~ 'grouped.residual_value_amount * '
            ~ ratio('compared.present_margin', 'compared.present_margin_today') ~ ' end'
        ) }} as residual_value_amount,
        {{ money('grouped.mean_cac * compared.cac_factor') }} as mean_cac_amount
    from compared
    inner join grouped
        on
            compared.channel_shown = grouped.channel_shown
            and compared.tier_shown = grouped.tier_shown
),

averaged as (
    select
        valued.*,
        {{ money('valued.historic_margin_amount + valued.residual_value_amount') }}
            as lifetime_value_amount,
        {{ ratio(
            'valued.historic_margin_amount + valued.residual_value_amount',
            'valued.customer_count * valued.mean_cac_amount'
        ) }} as ltv_to_mean_cac
    from valued
),

final as (
    select
        channel_shown as acquisition_channel,
        tier_shown as value_tier,
        lever,
        lever_change,
        annual_retention_rate,
        annual_discount_rate,
        mean_cac_amount,
        cast(customer_count as bigint) as customer_count,
        residual_value_amount,
        lifetime_value_amount,
        {{ money(ratio('residual_value_amount', 'customer_count')) }}
            as residual_value_per_customer_amount,
        {{ money(ratio('lifetime_value_amount', 'customer_count')) }}
            as lifetime_value_per_customer_amount,
        ltv_to_mean_cac,
        {{ money('residual_value_amount - value_today_amount') }}
            as value_change_amount,
        {{ ratio('residual_value_amount - value_today_amount', 'value_today_amount') }}
            as residual_value_change,
        ltv_to_mean_cac
        - max(case when lever_change = 0 then ltv_to_mean_cac end) over (
            partition by channel_shown, tier_shown, lever
        ) as ltv_to_mean_cac_change
    from averaged
)

select * from final
