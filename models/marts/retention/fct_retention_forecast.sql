-- Each monthly series as it was, and as the method that missed the latest quarter by
-- least expects it for a year ahead. In that quarter the row shows, beside the actual
-- value, what the method expected of it from the months before alone. If the forecast
-- was not learned again (`--exclude tag:learn`), months that have passed since show
-- both as well.
with

history as (
    select
        series_name,
        calendar_month,
        value_kind,
        series_value
    from {{ ref('int_retention_series') }}
),

forecasts as (
    select
        series_name,
        cast(calendar_month as date) as calendar_month,
        value_kind,
        forecast_method,
        forecast_value,
        lower_80_value,
        upper_80_value,
        lower_95_value,
        upper_95_value
    from {{ ref('ml_retention_forecast') }}
    where is_best
),

final as (
    select
        cast(
            coalesce(history.series_name, forecasts.series_name)
            as {{ dbt.type_string() }}
        ) as series_name,
        coalesce(history.calendar_month, forecasts.calendar_month) as calendar_month,
        cast(
            coalesce(history.value_kind, forecasts.value_kind)
            as {{ dbt.type_string() }}
        ) as value_kind,
        history.series_value as actual_value,
        cast(forecasts.forecast_method as {{ dbt.type_string() }}) as forecast_method,
        forecasts.forecast_value,
        forecasts.lower_80_value,
        forecasts.upper_80_value,
        forecasts.lower_95_value,
        forecasts.upper_95_value,
        history.series_value is null as is_forecast
    from history
    full join forecasts
        on
            history.series_name = forecasts.series_name
            and history.calendar_month = forecasts.calendar_month
)

select * from final
