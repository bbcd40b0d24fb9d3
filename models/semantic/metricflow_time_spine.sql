-- The days that metrics are shown for, whether or not anything happened. From the data,
-- not from a clock: from the month of the first order to the day that is known last.
with

live as (
    select
        {{ month_start('first_order_date') }} as first_date,
        cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

final as (
    select {{ add_days('live.first_date', 'numbers.n') }} as calendar_date
    from live
    inner join {{ numbers(36525) }} as numbers
        on {{ days_between('live.first_date', 'live.cutoff_date') }} >= numbers.n
)

select * from final
