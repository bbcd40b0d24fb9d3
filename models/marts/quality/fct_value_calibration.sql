-- Whether a method is right for each kind of customer, not only on the whole: what it
-- predicted on average, and what they did, by how often they had bought and by tenths
-- of the prediction. Equal predictions stay in one tenth, that of their last.
with

predictions as (
    select
        cutoff,
        customer_id,
        frequency,
        {% for method in value_methods() %}
        {{ method }}_purchases,
        {% endfor %}
        actual_purchases
    from {{ ref('int_value_predictions') }}
),

judged as (
    {% for method in value_methods() %}
    select
        cutoff,
        '{{ method }}' as prediction_method,
        least(frequency, 7) as frequency_bin,
        actual_purchases,
        {{ method }}_purchases as predicted_purchases
    from predictions
    where {{ method }}_purchases is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

grouped as (
    select
        cutoff,
        prediction_method,
        frequency_bin,
        predicted_purchases,
        count(*) as customer_count,
        sum(actual_purchases) as actual_purchases,
        sum(actual_purchases * actual_purchases) as squared_actual_purchases
    from judged
    group by cutoff, prediction_method, frequency_bin, predicted_purchases
),

ranked as (
    select
        cutoff,
        prediction_method,
        frequency_bin,
        predicted_purchases,
        customer_count,
        actual_purchases,
        squared_actual_purchases,
        -- up to the last of equal predictions
        sum(customer_count) over (
            partition by cutoff, prediction_method order by predicted_purchases
            range between unbounded preceding and current row
        ) as up_to_count,
        sum(customer_count) over (partition by cutoff, prediction_method) as all_count
    from grouped
),

binned as (
    select
        cutoff,
        prediction_method,
        'frequency' as bin_type,
        frequency_bin as bin_number,
        predicted_purchases,
        customer_count,
        actual_purchases,
        squared_actual_purchases
    from ranked

    union all

    select
        cutoff,
        prediction_method,
        'predicted_decile' as bin_type,
        ceil({{ ratio('10 * up_to_count', 'all_count') }}) as bin_number,
        predicted_purchases,
        customer_count,
        actual_purchases,
        squared_actual_purchases
    from ranked
),

summed as (
    select
        cutoff,
        prediction_method,
        bin_type,
        bin_number,
        sum(customer_count) as customer_count,
        -- sums of decimals are the same in any order of rows
        sum(cast(customer_count * predicted_purchases as decimal(38, 12)))
            as predicted_purchases,
        sum(actual_purchases) as actual_purchases,
        sum(squared_actual_purchases) as squared_actual_purchases
    from binned
    group by cutoff, prediction_method, bin_type, bin_number
),

final as (
    select
        cutoff,
        prediction_method,
        bin_type,
        cast(bin_number as integer) as bin_number,
        case
            when bin_type = 'frequency' and bin_number = 7 then '7+'
            else cast(cast(bin_number as integer) as {{ dbt.type_string() }})
        end as bin_label,
        cast(customer_count as bigint) as customer_count,
        {{ ratio('predicted_purchases', 'customer_count') }}
            as mean_predicted_purchases,
        {{ ratio('actual_purchases', 'customer_count') }} as mean_actual_purchases,
        sqrt({{ ratio(
            'customer_count * squared_actual_purchases - '
            ~ 'actual_purchases * actual_purchases',
            'customer_count * customer_count * (customer_count - 1)'
        ) }}) as mean_actual_standard_error,
        cutoff = 'train' as is_holdout
    from summed
)

select * from final
