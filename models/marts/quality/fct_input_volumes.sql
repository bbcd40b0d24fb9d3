-- How much came on each day, and in each seven days, beside what came eight weeks long
-- before: a Sunday is compared with Sundays. The robust z-score is the distance from
-- their median in standard deviations, as told by their median absolute deviation
-- (Iglewicz & Hoaglin 1993), but by no less than chance alone lets a count vary: the
-- square root of it. Single days of a small shop say little, its weeks do.
{% set weeks = 8 %}
{% set weeks_needed = 4 %}
{% set days_shown = 365 %}
{% set border = 3.5 %}
{% set measures = {'row_count': 'usual_rows', 'week_row_count': 'usual_week_rows'} %}

with

cutoffs as (
    select cutoff_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

counted as (
    select
        input_name,
        row_date,
        row_count
    from {{ ref('int_commerce_rows_counted') }}
    where row_date is not null

    union all

    select
        input_name,
        row_date,
        row_count
    from {{ ref('int_marketing_rows_counted') }}
    where row_date is not null
),

begun as (
    select
        input_name,
        min(row_date) as first_date
    from counted
    group by input_name
),

calendar as (
    select
        numbered.n as days_back,
        {{ add_days('cutoffs.cutoff_date', '-numbered.n') }} as row_date
    from cutoffs
    cross join {{ numbers(days_shown + 7 * weeks + 6) }} as numbered
),

-- a day without rows is a day of none
daily as (
    select
        begun.input_name,
        calendar.days_back,
        calendar.row_date,
        coalesce(counted.row_count, 0) as row_count,
        {{ days_between('begun.first_date', 'calendar.row_date') }} + 1 as day_number
    from begun
    inner join calendar on begun.first_date <= calendar.row_date
    left join counted
        on
            begun.input_name = counted.input_name
            and calendar.row_date = counted.row_date
),

weekly as (
    select
        input_name,
        days_back,
        row_date,
        row_count,
        case
            when day_number >= 7
                then
                    sum(row_count) over (
                        partition by input_name order by row_date
                        rows between 6 preceding and current row
                    )
        end as week_row_count
    from daily
),

-- a day is compared with those of the weeks before it
sought as (
    select
        weekly.input_name,
        weekly.row_date,
        weekly.days_back + 7 * (numbered.n + 1) as days_back
    from weekly
    cross join {{ numbers(weeks) }} as numbered
    where weekly.days_back < {{ days_shown }}
),

compared as (
    select
        sought.input_name,
        sought.row_date,
        earlier.row_count,
        earlier.week_row_count
    from sought
    inner join weekly as earlier
        on
            sought.input_name = earlier.input_name
            and sought.days_back = earlier.days_back
),

medians as (
    select
        input_name,
        {% for measure, usual in measures.items() %}
        case
            when count({{ measure }}) >= {{ weeks_needed }}
                then {{ percentile(measure, 0.5) }}
        end as {{ usual }},
        {% endfor %}
        row_date
    from compared
    group by input_name, row_date
),

deviations as (
    select
        compared.input_name,
        {% for measure, usual in measures.items() %}
        {{ percentile('abs(compared.' ~ measure ~ ' - medians.' ~ usual ~ ')', 0.5) }}
            as {{ measure }}_deviation,
        {% endfor %}
        compared.row_date
    from compared
    inner join medians
        on
            compared.input_name = medians.input_name
            and compared.row_date = medians.row_date
    group by compared.input_name, compared.row_date
),

measured as (
    select
        weekly.input_name,
        {% for measure, usual in measures.items() %}
        weekly.{{ measure }},
        medians.{{ usual }},
        -- where usually nothing comes, nothing can be missing
        case
            when medians.{{ usual }} >= 1
                then {{ ratio(
                    'weekly.' ~ measure ~ ' - medians.' ~ usual,
                    'greatest(1.4826 * deviations.' ~ measure ~ '_deviation, sqrt('
                    ~ 'medians.' ~ usual ~ '))'
                ) }}
        end as {{ measure }}_z_score,
        {% endfor %}
        weekly.row_date
    from weekly
    left join medians
        on
            weekly.input_name = medians.input_name
            and weekly.row_date = medians.row_date
    left join deviations
        on
            weekly.input_name = deviations.input_name
            and weekly.row_date = deviations.row_date
    where weekly.days_back < {{ days_shown }}
),

final as (
    select
        input_name,
        row_date,
        cast(row_count as bigint) as row_count,
        cast(usual_rows as {{ type_double() }}) as usual_rows,
        row_count_z_score,
        cast(week_row_count as bigint) as week_row_count,
        cast(usual_week_rows as {{ type_double() }}) as usual_week_rows,
        week_row_count_z_score,
        case
            when abs(row_count_z_score) > {{ border }} then true
            when abs(week_row_count_z_score) > {{ border }} then true
            when row_count_z_score is not null then false
            when week_row_count_z_score is not null then false
        end as is_unusual
    from measured
)

select * from final
