-- How far the scores of a cutoff are from those of the cutoff before: population
-- stability index over ten bins, tenths of the earlier customers. Customers with equal
-- scores stay in one bin, that of the first of them. Half a customer is added to every
-- bin, so that an empty one counts and does not make the index infinite.
-- Scores are rounded and counted by value first: few values are cheap to order, however
-- many customers have them, and whole numbers add up alike in any order of rows.
{% set features = [
    'days_since_last_purchase', 'purchase_count', 'revenue_amount',
] %}
-- parts of one that a score is rounded to
{% set parts = {'p_alive': 1000, 'churn_probability': 1000} %}

with

cutoffs as (
    select
        cutoff,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
),

histories as (
    select
        cutoff,
        customer_group,
        frequency,
        recency_days,
        age_days,
        customer_count
    from {{ ref('int_purchase_histories') }}
),

scored as (
    select
        cutoff,
        customer_group,
        process,
        frequency,
        recency_days,
        age_days,
        p_alive_rate
    from {{ ref('int_purchase_histories_scored') }}
),

weights as (
    select
        process,
        weight_rate
    from {{ ref('int_process_weights') }}
),

churn_scores as {{ inlined() }} (
    select
        cutoff,
        churn_probability_rate
    from {{ ref('int_churn_scores') }}
    where is_winner and churn_probability_rate is not null
),

features as {{ inlined() }} (
    select
        cutoff,
        {{ features | join(',\n        ') }}
    from {{ ref('int_customer_features') }}
),

-- as the champion of today scores and has scored
weighed as (
    select
        scored.cutoff,
        scored.customer_group,
        scored.frequency,
        scored.recency_days,
        scored.age_days,
        {{ ratio(
            'sum(cast(scored.p_alive_rate * weights.weight_rate as decimal(38, 12)))',
            'sum(weights.weight_rate)'
        ) }} as p_alive
    from scored
    inner join weights on scored.process = weights.process
    group by
        scored.cutoff,
        scored.customer_group,
        scored.frequency,
        scored.recency_days,
        scored.age_days
),

history_scores as (
    select
        histories.cutoff,
        histories.customer_count,
        weighed.p_alive
    from histories
    inner join weighed
        on
            histories.cutoff = weighed.cutoff
            and histories.customer_group = weighed.customer_group
            and histories.frequency = weighed.frequency
            and histories.recency_days = weighed.recency_days
            and histories.age_days = weighed.age_days
),

counted as (
    select
        cutoff,
        'p_alive' as score_name,
        cast(round(p_alive * {{ parts['p_alive'] }}) as bigint) as score_value,
        sum(customer_count) as customer_count
    from history_scores
    where p_alive is not null
    group by cutoff, cast(round(p_alive * {{ parts['p_alive'] }}) as bigint)

    union all

    select
        cutoff,
        'churn_probability' as score_name,
        cast(
            round(churn_probability_rate * {{ parts['churn_probability'] }}) as bigint
        ) as score_value,
        count(*) as customer_count
    from churn_scores
    group by
        cutoff,
        cast(
            round(churn_probability_rate * {{ parts['churn_probability'] }}) as bigint
        )
    {% for feature in features %}

    union all

    select
        cutoff,
        '{{ feature }}' as score_name,
        cast(round({{ feature }}) as bigint) as score_value,
        count(*) as customer_count
    from features
    group by cutoff, cast(round({{ feature }}) as bigint)
    {% endfor %}
),

paired as (
    {% for cutoff, earlier in [('live', 'train'), ('train', 'test')] %}
    select
        '{{ cutoff }}' as cutoff,
        '{{ earlier }}' as earlier_cutoff,
        counted.score_name,
        counted.score_value,
        sum(case
            when counted.cutoff = '{{ cutoff }}'
                then counted.customer_count
            else 0
        end)
            as later_count,
        sum(case
            when counted.cutoff = '{{ earlier }}'
                then counted.customer_count
            else 0
        end)
            as earlier_count
    from counted
    where counted.cutoff in ('{{ cutoff }}', '{{ earlier }}')
    group by counted.score_name, counted.score_value
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

ranked as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        score_value,
        later_count,
        earlier_count,
        sum(later_count) over (partition by cutoff, score_name) as later_total,
        sum(earlier_count) over (partition by cutoff, score_name) as earlier_total,
        sum(earlier_count) over (
            partition by cutoff, score_name order by score_value
            rows between unbounded preceding and current row
        ) - earlier_count as earlier_below
    from paired
),

binned as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        score_value,
        later_count,
        earlier_count,
        later_total,
        earlier_total,
        -- beyond the highest of the earlier scores: in the last bin
        least(floor({{ ratio('10 * earlier_below', 'earlier_total') }}) + 1, 10)
            as bin_number
    from ranked
    -- a score that one of the two cutoffs lacks is not compared
    where later_total > 0 and earlier_total > 0
),

bins as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        bin_number,
        max(later_total) as later_total,
        max(earlier_total) as earlier_total,
        sum(later_count) as later_count,
        sum(earlier_count) as earlier_count,
        sum(later_count * score_value) as later_sum,
        sum(earlier_count * score_value) as earlier_sum,
        count(*) over (partition by cutoff, score_name) as bin_count
    from binned
    group by cutoff, earlier_cutoff, score_name, bin_number
),

shares as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        later_total,
        earlier_total,
        later_sum,
        earlier_sum,
        bin_count,
        {{ ratio('later_count + 0.5', 'later_total + 0.5 * bin_count') }}
            as later_share,
        {{ ratio('earlier_count + 0.5', 'earlier_total + 0.5 * bin_count') }}
            as earlier_share
    from bins
),

measured as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        max(later_total) as customer_count,
        max(earlier_total) as earlier_customer_count,
        max(bin_count) as bin_count,
        sum(later_sum) as later_sum,
        sum(earlier_sum) as earlier_sum,
        -- sums of decimals are the same in any order of rows
        cast(
            sum(cast(
                (later_share - earlier_share) * ln({{
                    ratio('later_share', 'earlier_share')
                }}) as decimal(38, 12)
            )) as {{ type_double() }}
        ) as population_stability_index
    from shares
    group by cutoff, earlier_cutoff, score_name
),

judged as (
    select
        cutoff,
        earlier_cutoff,
        score_name,
        customer_count,
        earlier_customer_count,
        bin_count,
        later_sum,
        earlier_sum,
        population_stability_index,
        case score_name
            {% for score, number in parts.items() %}
            when '{{ score }}' then {{ number }}
            {% endfor %}
            else 1
        end as parts_of_one,
        (bin_count - 1) * (
            {{ ratio(1, 'customer_count') }} + {{ ratio(1, 'earlier_customer_count') }}
        ) as chance_index
    from measured
),

final as (
    select
        judged.cutoff,
        judged.score_name,
        cutoffs.cutoff_date,
        earlier_cutoffs.cutoff_date as earlier_cutoff_date,
        cast(judged.customer_count as bigint) as customer_count,
        cast(judged.earlier_customer_count as bigint) as earlier_customer_count,
        {{ ratio('judged.later_sum', 'judged.customer_count * judged.parts_of_one') }}
            as mean_score,
        {{ ratio(
            'judged.earlier_sum', 'judged.earlier_customer_count * judged.parts_of_one'
        ) }} as earlier_mean_score,
        cast(judged.bin_count as integer) as bin_count,
        judged.population_stability_index,
        judged.chance_index,
        case
            when judged.chance_index > 0.05 then 'too few customers'
            when judged.population_stability_index > 0.25 then 'large'
            when judged.population_stability_index >= 0.1 then 'some'
            else 'stable'
        end as drift
    from judged
    inner join cutoffs on judged.cutoff = cutoffs.cutoff
    inner join cutoffs as earlier_cutoffs
        on judged.earlier_cutoff = earlier_cutoffs.cutoff
)

select * from final
