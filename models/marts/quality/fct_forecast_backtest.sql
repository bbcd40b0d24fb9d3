-- By how much each method missed the latest quarter of each series, forecast from the
-- months before it alone, and why a method has no forecast.
with

history as (
    select
        series_name,
        count(*) as month_count
    from {{ ref('int_retention_series') }}
    group by series_name
),

learned as (
    select distinct
        series_name,
        forecast_method,
        value_scale,
        month_count as learned_month_count,
        autoregressive_count,
        difference_count,
        moving_average_count,
        aicc,
        adf_p_value,
        kpss_p_value,
        mean_absolute_error,
        root_mean_squared_error,
        is_best
    from {{ ref('ml_retention_forecast') }}
),

methods as (
    select 'last_value' as forecast_method
    union all
    select 'linear_trend' as forecast_method
    union all
    select 'last_year' as forecast_method
    union all
    select 'arima' as forecast_method
),

final as (
    select
        cast(history.series_name as {{ dbt.type_string() }}) as series_name,
        cast(methods.forecast_method as {{ dbt.type_string() }}) as forecast_method,
        case
            when learned.forecast_method is not null then null
            when history.month_count < 15 then 'fewer than 15 months without a gap'
            when methods.forecast_method = 'last_year' and history.month_count < 27
                then 'fewer than 27 months without a gap'
            else 'not learned yet, or the series does not vary'
        end as no_forecast_reason,
        cast(learned.value_scale as {{ dbt.type_string() }}) as value_scale,
        cast(history.month_count as bigint) as month_count,
        cast(learned.learned_month_count as bigint) as learned_month_count,
        learned.mean_absolute_error,
        learned.root_mean_squared_error,
        cast(learned.autoregressive_count as bigint) as autoregressive_count,
        cast(learned.difference_count as bigint) as difference_count,
        cast(learned.moving_average_count as bigint) as moving_average_count,
        learned.aicc,
        learned.adf_p_value,
        learned.kpss_p_value,
        coalesce(learned.is_best, false) as is_best
    from history
    cross join methods
    left join learned
        on
            history.series_name = learned.series_name
            and methods.forecast_method = learned.forecast_method
)

select * from final
