-- How close each method came, in a past window, to what its customers then did. All
-- methods are judged on the same customers; one that has no prediction for somebody is
-- not judged. Equal predictions share a rank and a place in the top tenth, so that the
-- order of rows plays no part.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
),

predictions as (
    select
        cutoff,
        customer_id,
        {% for method in value_methods() %}
        {{ method }}_purchases,
        {{ method }}_revenue,
        {% endfor %}
        actual_purchases,
        actual_revenue_amount
    from {{ ref('int_value_predictions') }}
),

actual_purchase_counts as (
    select
        cutoff,
        actual_purchases,
        count(*) as customer_count
    from predictions
    group by cutoff, actual_purchases
),

-- twice the mean rank of equals is a whole number
actual_purchase_ranks as (
    select
        cutoff,
        actual_purchases,
        2 * sum(customer_count) over (
            partition by cutoff order by actual_purchases
            rows between unbounded preceding and current row
        ) - customer_count + 1 as doubled_rank
    from actual_purchase_counts
),

judged as (
    {% for method in value_methods() %}
    select
        predictions.cutoff,
        '{{ method }}' as prediction_method,
        predictions.actual_purchases,
        cast(actual_purchase_ranks.doubled_rank as bigint) as actual_rank,
        predictions.actual_revenue_amount,
        predictions.{{ method }}_purchases as predicted_purchases,
        predictions.{{ method }}_revenue as predicted_revenue
    from predictions
    inner join actual_purchase_ranks
        on
            predictions.cutoff = actual_purchase_ranks.cutoff
            and predictions.actual_purchases = actual_purchase_ranks.actual_purchases
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

by_predicted_purchases as (
    select
        cutoff,
        prediction_method,
        predicted_purchases,
        count(*) as customer_count,
        sum(actual_purchases) as actual_purchases,
        sum(actual_purchases * actual_purchases) as squared_actual_purchases,
        sum(actual_rank) as actual_ranks,
        sum(actual_rank * actual_rank) as squared_actual_ranks,
        -- sums of decimals are the same in any order of rows
        sum(cast(abs(predicted_purchases - actual_purchases) as decimal(38, 12)))
            as absolute_error,
        sum(cast(
            power(predicted_purchases - actual_purchases, 2) as decimal(38, 12)
        )) as squared_error
    from judged
    group by cutoff, prediction_method, predicted_purchases
),

purchase_ranks as (
    select
        cutoff,
        prediction_method,
        predicted_purchases,
        customer_count,
        actual_purchases,
        squared_actual_purchases,
        actual_ranks,
        squared_actual_ranks,
        absolute_error,
        squared_error,
        2 * sum(customer_count) over (
            partition by cutoff, prediction_method order by predicted_purchases
            rows between unbounded preceding and current row
        ) - customer_count + 1 as predicted_rank
    from by_predicted_purchases
),

purchase_sums as (
    select
        cutoff,
        prediction_method,
        sum(customer_count) as customer_count,
        sum(case when predicted_purchases is null then customer_count else 0 end)
            as unpredicted_count,
        sum(actual_purchases) as actual_purchases,
        sum(squared_actual_purchases) as squared_actual_purchases,
        sum(cast(customer_count * predicted_purchases as decimal(38, 12)))
            as predicted_purchases,
        sum(cast(
            customer_count * predicted_purchases * predicted_purchases
            as decimal(38, 12)
        )) as squared_predicted_purchases,
        sum(cast(predicted_purchases * actual_purchases as decimal(38, 12)))
            as predicted_times_actual,
        sum(customer_count * predicted_rank) as predicted_ranks,
        sum(actual_ranks) as actual_ranks,
        sum(customer_count * predicted_rank * predicted_rank)
            as squared_predicted_ranks,
        sum(squared_actual_ranks) as squared_actual_ranks,
        sum(predicted_rank * actual_ranks) as predicted_times_actual_rank,
        sum(absolute_error) as absolute_error,
        sum(squared_error) as squared_error
    from purchase_ranks
    group by cutoff, prediction_method
),

by_predicted_revenue as (
    select
        cutoff,
        prediction_method,
        predicted_revenue,
        count(*) as customer_count,
        sum(actual_revenue_amount) as actual_revenue_amount,
        -- fewer decimals: squares of large amounts need the room
        sum(cast(
            abs(predicted_revenue - cast(actual_revenue_amount as {{ type_double() }}))
            as decimal(38, 8)
        )) as absolute_error,
        sum(cast(
            power(
                predicted_revenue - cast(actual_revenue_amount as {{ type_double() }}),
                2
            ) as decimal(38, 8)
        )) as squared_error
    from judged
    group by cutoff, prediction_method, predicted_revenue
),

revenue_ranks as (
    select
        cutoff,
        prediction_method,
        predicted_revenue,
        customer_count,
        actual_revenue_amount,
        absolute_error,
        squared_error,
        sum(customer_count) over (partition by cutoff, prediction_method) as all_count,
        sum(customer_count) over (
            partition by cutoff, prediction_method order by predicted_revenue
            rows between unbounded preceding and current row
        ) as up_to_count
    from by_predicted_revenue
),

revenue_sums as (
    select
        cutoff,
        prediction_method,
        sum(case when predicted_revenue is null then customer_count else 0 end)
            as unpredicted_count,
        sum(actual_revenue_amount) as actual_revenue_amount,
        sum(cast(customer_count * predicted_revenue as decimal(38, 8)))
            as predicted_revenue,
        sum(absolute_error) as absolute_error,
        sum(squared_error) as squared_error,
        sum(cast({{ product([
            'actual_revenue_amount',
            '2 * up_to_count - customer_count - all_count'
        ]) }} as decimal(38, 4))) as revenue_by_rank,
        sum(cast({{ product([
            'actual_revenue_amount',
            'greatest(0, least(1, '
            ~ ratio('0.1 * all_count - (all_count - up_to_count)', 'customer_count')
            ~ '))'
        ]) }} as decimal(38, 8))) as top_decile_revenue
    from revenue_ranks
    group by cutoff, prediction_method
),

-- the rank that knows what will happen
by_actual_revenue as (
    select
        cutoff,
        actual_revenue_amount,
        count(*) as customer_count
    from predictions
    group by cutoff, actual_revenue_amount
),

actual_revenue_ranks as (
    select
        cutoff,
        actual_revenue_amount,
        customer_count,
        sum(customer_count) over (partition by cutoff) as all_count,
        sum(customer_count) over (
            partition by cutoff order by actual_revenue_amount
            rows between unbounded preceding and current row
        ) as up_to_count
    from by_actual_revenue
),

perfect as (
    select
        cutoff,
        sum(cast({{ product([
            'actual_revenue_amount',
            'customer_count',
            '2 * up_to_count - customer_count - all_count'
        ]) }} as decimal(38, 4))) as revenue_by_rank
    from actual_revenue_ranks
    group by cutoff
),

measured as (
    select
        purchase_sums.cutoff,
        purchase_sums.prediction_method,
        purchase_sums.customer_count,
        purchase_sums.unpredicted_count = 0 as has_purchases,
        revenue_sums.unpredicted_count = 0 as has_revenue,
        purchase_sums.actual_purchases,
        purchase_sums.predicted_purchases,
        revenue_sums.actual_revenue_amount,
        revenue_sums.predicted_revenue,
        {{ ratio(
            'purchase_sums.predicted_purchases', 'purchase_sums.actual_purchases'
        ) }} - 1 as purchase_bias,
        {{ ratio(
            'revenue_sums.predicted_revenue', 'revenue_sums.actual_revenue_amount'
        ) }} - 1 as revenue_bias,
        sqrt({{ ratio('purchase_sums.squared_error', 'purchase_sums.customer_count') }})
            as purchase_rmse,
        {{ ratio('purchase_sums.absolute_error', 'purchase_sums.customer_count') }}
            as purchase_mae,
        sqrt({{ ratio('revenue_sums.squared_error', 'purchase_sums.customer_count') }})
            as revenue_rmse,
        {{ ratio('revenue_sums.absolute_error', 'purchase_sums.customer_count') }}
            as revenue_mae,
        {{ correlation_of_sums(
            'purchase_sums.customer_count',
            'purchase_sums.predicted_purchases',
            'purchase_sums.actual_purchases',
            'purchase_sums.predicted_times_actual',
            'purchase_sums.squared_predicted_purchases',
            'purchase_sums.squared_actual_purchases'
        ) }} as pearson,
        {{ correlation_of_sums(
            'purchase_sums.customer_count',
            'purchase_sums.predicted_ranks',
            'purchase_sums.actual_ranks',
            'purchase_sums.predicted_times_actual_rank',
            'purchase_sums.squared_predicted_ranks',
            'purchase_sums.squared_actual_ranks'
        ) }} as spearman,
        {{ ratio('revenue_sums.revenue_by_rank', 'perfect.revenue_by_rank') }} as gini,
        {{ ratio(
            'revenue_sums.top_decile_revenue', 'revenue_sums.actual_revenue_amount'
        ) }} as top_decile_revenue_rate
    from purchase_sums
    inner join revenue_sums
        on
            purchase_sums.cutoff = revenue_sums.cutoff
            and purchase_sums.prediction_method = revenue_sums.prediction_method
    inner join perfect on purchase_sums.cutoff = perfect.cutoff
),

-- a method without a prediction for somebody is not judged
purchases_judged as (
    select
        cutoff,
        prediction_method,
        predicted_purchases,
        purchase_bias,
        purchase_rmse,
        purchase_mae,
        pearson,
        spearman
    from measured
    where has_purchases
),

revenue_judged as (
    select
        cutoff,
        prediction_method,
        predicted_revenue,
        revenue_bias,
        revenue_rmse,
        revenue_mae,
        gini,
        top_decile_revenue_rate
    from measured
    where has_revenue
),

final as (
    select
        measured.cutoff,
        measured.prediction_method,
        cutoffs.cutoff_date,
        cutoffs.holdout_days,
        cast(measured.customer_count as bigint) as customer_count,
        cast(measured.actual_purchases as bigint) as actual_purchase_count,
        cast(purchases_judged.predicted_purchases as {{ type_double() }})
            as predicted_purchases,
        purchases_judged.purchase_bias,
        purchases_judged.purchase_rmse,
        purchases_judged.purchase_mae,
        purchases_judged.pearson,
        purchases_judged.spearman,
        {{ money('measured.actual_revenue_amount') }} as actual_revenue_amount,
        {{ money('revenue_judged.predicted_revenue') }} as predicted_revenue_amount,
        revenue_judged.revenue_bias,
        revenue_judged.revenue_rmse,
        revenue_judged.revenue_mae,
        revenue_judged.gini,
        revenue_judged.top_decile_revenue_rate,
        measured.cutoff = 'train' as is_holdout,
        measured.prediction_method = 'champion' as is_champion
    from measured
    inner join cutoffs on measured.cutoff = cutoffs.cutoff
    left join purchases_judged
        on
            measured.cutoff = purchases_judged.cutoff
            and measured.prediction_method = purchases_judged.prediction_method
    left join revenue_judged
        on
            measured.cutoff = revenue_judged.cutoff
            and measured.prediction_method = revenue_judged.prediction_method
)

select * from final
