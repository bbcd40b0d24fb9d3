-- Whether a probability means what it says: of customers who were said to leave with
-- 30 %, did 30 % leave? By tenths of the probability, on the window that the learners
-- have not seen. Equal probabilities stay in one tenth, that of their last.
with

predictions as (
    select
        relationship,
        {% for method in churn_methods() %}
        {{ method }}_probability,
        {% endfor %}
        has_left
    from {{ ref('int_churn_predictions') }}
),

judged as (
    {% for method in churn_methods() %}
    select
        relationship,
        '{{ method }}' as churn_method,
        {{ method }}_probability as probability,
        has_left
    from predictions
    where {{ method }}_probability is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

grouped as (
    select
        relationship,
        churn_method,
        probability,
        count(*) as customer_count,
        sum(case when has_left then 1 else 0 end) as churner_count
    from judged
    group by relationship, churn_method, probability
),

ranked as (
    select
        relationship,
        churn_method,
        probability,
        customer_count,
        churner_count,
        sum(customer_count) over (
            partition by relationship, churn_method order by probability
            rows between unbounded preceding and current row
        ) as up_to_count,
        sum(customer_count) over (partition by relationship, churn_method)
            as all_count
    from grouped
),

binned as (
    select
        relationship,
        churn_method,
        cast(ceil({{ ratio('10 * up_to_count', 'all_count') }}) as integer)
            as risk_decile,
        probability,
        customer_count,
        churner_count
    from ranked
),

summed as (
    select
        relationship,
        churn_method,
        risk_decile,
        sum(customer_count) as customer_count,
        sum(churner_count) as churner_count,
        -- sums of decimals are the same in any order of rows
        sum(cast(customer_count * probability as decimal(38, 12))) as expected_churners
    from binned
    group by relationship, churn_method, risk_decile
),

measured as (
    select
        relationship,
        churn_method,
        risk_decile,
        customer_count,
        churner_count,
        {{ ratio('expected_churners', 'customer_count') }}
            as mean_churn_probability_rate,
        {{ ratio('churner_count', 'customer_count') }} as churner_rate
    from summed
),

final as (
    select
        relationship,
        churn_method,
        risk_decile,
        cast(customer_count as bigint) as customer_count,
        cast(churner_count as bigint) as churner_count,
        mean_churn_probability_rate,
        churner_rate,
        sqrt({{ ratio(
            'mean_churn_probability_rate * (1 - mean_churn_probability_rate)',
            'customer_count'
        ) }}) as churner_rate_standard_error
    from measured
)

select * from final
