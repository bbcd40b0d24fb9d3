-- How well each method tells who leaves. On the later window all methods speak at the
-- train cutoff of what followed until the live one: the learners know the window before
-- it only. By cross-validation a learner that has seen that window too is judged on
-- customers whom it has not seen: it is the one that scores today's customers.
-- Equal risks share a rank and a place in the top tenth, so that the order of rows
-- plays no part. A method without a risk for somebody is not judged.
{% set smallest = '1e-15' %}

with

predictions as (
    select
        relationship,
        {% for method in churn_methods() %}
        {{ method }}_risk,
        {{ method }}_probability,
        {% endfor %}
        has_left
    from {{ ref('int_churn_predictions') }}
),

learned as (
    select
        cutoff,
        relationship,
        churn_learner,
        customer_count,
        churner_count,
        cross_validated_auc,
        cross_validated_average_precision,
        cross_validated_log_loss,
        cross_validated_brier_score,
        cross_validated_top_decile_lift,
        is_winner
    from {{ ref('ml_churn_model') }}
    where churn_term = 'intercept'
),

winners as (
    select
        relationship,
        churn_learner
    from learned
    where cutoff = 'test' and is_winner
),

judged as (
    {% for method in churn_methods() %}
    select
        relationship,
        '{{ method }}' as churn_method,
        {{ method }}_risk as risk,
        {{ method }}_probability as probability,
        case when has_left then 1 else 0 end as churner
    from predictions
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

by_risk as (
    select
        relationship,
        churn_method,
        risk,
        count(*) as customer_count,
        sum(churner) as churner_count,
        sum(case when probability is null then 1 else 0 end) as unsure_count,
        -- sums of decimals are the same in any order of rows
        sum(cast(power(probability - churner, 2) as decimal(38, 12))) as squared_error,
        -- who was sure, and wrong, has a finite loss
        sum(cast(
            -ln(greatest(
                {{ smallest }},
                case when churner = 1 then probability else 1 - probability end
            )) as decimal(38, 12)
        )) as log_loss
    from judged
    group by relationship, churn_method, risk
),

ranked as (
    select
        relationship,
        churn_method,
        risk,
        customer_count,
        churner_count,
        unsure_count,
        squared_error,
        log_loss,
        sum(customer_count) over (partition by relationship, churn_method)
            as all_count,
        -- of this risk and higher ones
        sum(customer_count) over (
            partition by relationship, churn_method order by risk desc
            rows between unbounded preceding and current row
        ) as down_to_count,
        sum(churner_count) over (
            partition by relationship, churn_method order by risk desc
            rows between unbounded preceding and current row
        ) as down_to_churner_count
    from by_risk
),

summed as (
    select
        relationship,
        churn_method,
        sum(customer_count) as customer_count,
        sum(churner_count) as churner_count,
        sum(case when risk is null then customer_count else 0 end) as unranked_count,
        sum(unsure_count) as unsure_count,
        sum(squared_error) as squared_error,
        sum(log_loss) as log_loss,
        -- pairs of a stayer and a leaver at higher risk count two, at equal risk one
        sum(
            (customer_count - churner_count)
            * (2 * down_to_churner_count - churner_count)
        ) as doubled_wins,
        sum(cast(
            churner_count * {{ ratio('down_to_churner_count', 'down_to_count') }}
            as decimal(38, 12)
        )) as precision_sum,
        sum(cast(
            churner_count * greatest(0, least(1, {{ ratio(
                '0.1 * all_count - (down_to_count - customer_count)', 'customer_count'
            ) }})) as decimal(38, 12)
        )) as top_decile_churners
    from ranked
    group by relationship, churn_method
),

measured as (
    select
        summed.relationship,
        summed.churn_method,
        'later window' as evaluation,
        summed.customer_count,
        summed.churner_count,
        {{ ratio(
            'summed.doubled_wins',
            '2 * summed.churner_count * (summed.customer_count - summed.churner_count)'
        ) }} as auc,
        {{ ratio('summed.precision_sum', 'summed.churner_count') }}
            as average_precision,
        case
            when summed.unsure_count = 0
                then {{ ratio('summed.log_loss', 'summed.customer_count') }}
        end as log_loss,
        case
            when summed.unsure_count = 0
                then {{ ratio('summed.squared_error', 'summed.customer_count') }}
        end as brier_score,
        {{ ratio('summed.top_decile_churners', '0.1 * summed.churner_count') }}
            as top_decile_lift,
        winners.churn_learner is not null as is_winner
    from summed
    left join winners
        on
            summed.relationship = winners.relationship
            and summed.churn_method = winners.churn_learner
    where summed.unranked_count = 0

    union all

    select
        relationship,
        churn_learner as churn_method,
        'cross-validation' as evaluation,
        customer_count,
        churner_count,
        cross_validated_auc as auc,
        cross_validated_average_precision as average_precision,
        cross_validated_log_loss as log_loss,
        cross_validated_brier_score as brier_score,
        cross_validated_top_decile_lift as top_decile_lift,
        is_winner
    from learned
    where cutoff = 'train'
),

final as (
    select
        relationship,
        churn_method,
        evaluation,
        cast(customer_count as bigint) as customer_count,
        cast(churner_count as bigint) as churner_count,
        auc,
        average_precision,
        log_loss,
        brier_score,
        top_decile_lift,
        is_winner
    from measured
)

select * from final
