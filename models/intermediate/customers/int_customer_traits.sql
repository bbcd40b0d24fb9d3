-- What is known of each customer on the evening of a cutoff, as numbers without gaps
-- that Python can learn from and SQL can score: everyone at the live cutoff, those of
-- the sample at the earlier ones. What is not known is neutral: who never answered a
-- survey is as satisfied as the average, who has too few gaps buys at random. Who has
-- no contract any more and goes on buying is a customer without contract.
with

features as (
    select
        cutoff,
        customer_id,
        frequency,
        days_since_last_purchase,
        age_days,
        recent_purchase_count,
        {{ ratio('purchase_revenue_amount', 'purchase_count') }}
            as mean_purchase_amount,
        -- greatest() and least() pass over NULL on some engines
        case
            when revenue_amount > 0
                then
                    greatest(
                        -1, least(1, {{ ratio('margin_amount', 'revenue_amount') }})
                    )
        end as margin_rate,
        gap_variation
    from {{ ref('int_customer_features') }}
),

contracts as (
    select
        cutoff,
        customer_id,
        plan,
        payment_method,
        contract_age_days,
        contract_days,
        monthly_amount,
        term_months,
        has_running_contract
    from {{ ref('int_customer_contracts') }}
),

engagement as (
    select
        cutoff,
        customer_id,
        main_channel_rate,
        survey_count,
        survey_score_sum,
        recent_use_count
    from {{ ref('int_customer_engagement') }}
),

satisfaction as (
    select
        cutoff,
        {{ ratio('sum(survey_score_sum)', 'sum(survey_count)') }} as mean_score
    from engagement
    group by cutoff
),

customers as (
    select
        customer_id,
        acquisition_channel
    from {{ ref('dim_customers') }}
),

sampled as (
    select customer_id
    from {{ ref('int_learning_sample') }}
),

known as (
    select
        coalesce(features.cutoff, contracts.cutoff) as cutoff,
        coalesce(features.customer_id, contracts.customer_id) as customer_id,
        contracts.plan,
        contracts.payment_method,
        features.frequency,
        coalesce(features.days_since_last_purchase, contracts.contract_age_days)
            as days_since_last_purchase,
        greatest(
            coalesce(features.age_days, contracts.contract_age_days),
            coalesce(contracts.contract_age_days, features.age_days)
        ) as age_days,
        features.recent_purchase_count,
        features.mean_purchase_amount,
        features.margin_rate,
        features.gap_variation,
        contracts.contract_days,
        contracts.monthly_amount,
        contracts.term_months,
        coalesce(contracts.has_running_contract, false) as has_running_contract
    from features
    full outer join contracts
        on
            features.cutoff = contracts.cutoff
            and features.customer_id = contracts.customer_id
    where features.customer_id is not null or contracts.has_running_contract
),

final as (
    select
        known.cutoff,
        known.customer_id,
        {{ relationship_of('known.has_running_contract') }} as relationship,
        customers.acquisition_channel,
        coalesce(known.plan, 'none') as plan,
        coalesce(known.payment_method, 'none') as payment_method,
        {% for trait, neutral in {
            'known.frequency': '0',
            'known.days_since_last_purchase': '0',
            'known.age_days': '0',
            'known.recent_purchase_count': '0',
            'known.mean_purchase_amount': '0',
            'known.margin_rate': setting_number(
                'default_margin_rate', minimum=0, maximum=1
            ),
            'known.gap_variation': '1',
            'engagement.main_channel_rate': '0',
        }.items() %}
        cast(coalesce({{ trait }}, {{ neutral }}) as {{ type_double() }})
            as {{ trait.split('.')[1] }},
        {% endfor %}
        coalesce(
            {{ ratio('engagement.survey_score_sum', 'engagement.survey_count') }},
            satisfaction.mean_score,
            0
        ) as satisfaction_score,
        {% for trait in [
            'engagement.survey_count', 'engagement.recent_use_count', 'known.contract_days',
            'known.monthly_amount', 'known.term_months',
        ] %}
        cast(coalesce({{ trait }}, 0) as {{ type_double() }})
            as {{ trait.split('.')[1] }},
        {% endfor %}
        known.has_running_contract
    from known
    inner join customers on known.customer_id = customers.customer_id
    left join sampled on known.customer_id = sampled.customer_id
    left join engagement
        on
            known.cutoff = engagement.cutoff
            and known.customer_id = engagement.customer_id
    left join satisfaction on known.cutoff = satisfaction.cutoff
    where known.cutoff = 'live' or sampled.customer_id is not null
)

select * from final
