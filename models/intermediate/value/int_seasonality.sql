-- How much more or less is bought in a period than at another time of the year. A
-- period's season is what happened in the same dates of past years: repeat purchases
-- against those of the whole year, spread over it as Pareto/NBD expects of the
-- customers who had come by then, so that it says when people buy and not how much.
-- It is drawn towards 1: a season seen once counts half (it may have been chance that
-- looked like one), one seen twice two thirds, and one of few purchases less. A year
-- counts if it began at least four weeks after the first order.
{% set purchases_that_say_half = 25 %}

with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        first_order_date
    from {{ ref('int_cutoff_dates') }}
),

periods as (
    select
        cutoff,
        period_number,
        period_start_date,
        period_end_date
    from {{ ref('int_value_periods') }}
    where period_number <= 12
),

processes as (
    select
        cutoff,
        r,
        alpha_weeks,
        s,
        beta_weeks
    from {{ ref('ml_purchase_process') }}
    where customer_group = 'all channels' and process = 'pareto_nbd'
),

purchase_days as (
    select
        purchase_date,
        new_customer_count,
        repeat_purchase_count
    from {{ ref('int_purchase_days') }}
),

-- thirty years back is before any web shop
years as (
    select n + 1 as years_back
    from {{ numbers(30) }}
),

-- each period of a year, and the year itself as period 0; end dates are inclusive
windows as (
    select
        periods.cutoff,
        periods.period_number,
        years.years_back,
        {{ add_months('periods.period_start_date', '-12 * years.years_back') }}
            as window_start_date,
        {{ add_months('periods.period_end_date', '-12 * years.years_back') }}
            as window_end_date
    from periods
    inner join cutoffs on periods.cutoff = cutoffs.cutoff
    cross join years
    where
        {{ add_months('cutoffs.cutoff_date', '-12 * years.years_back') }}
        >= {{ add_days('cutoffs.first_order_date', 28) }}
        -- a window of more than a year has not ended yet one year back
        and {{ add_months('periods.period_end_date', '-12 * years.years_back') }}
        <= cutoffs.cutoff_date

    union all

    select
        cutoffs.cutoff,
        0 as period_number,
        years.years_back,
        {{ add_days(
            add_months('cutoffs.cutoff_date', '-12 * years.years_back'), 1
        ) }} as window_start_date,
        {{ add_months('cutoffs.cutoff_date', '-12 * (years.years_back - 1)') }}
            as window_end_date
    from cutoffs
    cross join years
    where
        {{ add_months('cutoffs.cutoff_date', '-12 * years.years_back') }}
        >= {{ add_days('cutoffs.first_order_date', 28) }}
),

bought as (
    select
        windows.cutoff,
        windows.period_number,
        windows.years_back,
        sum(purchase_days.repeat_purchase_count) as purchase_count
    from windows
    inner join purchase_days
        on
            purchase_days.purchase_date
            between windows.window_start_date and windows.window_end_date
    group by windows.cutoff, windows.period_number, windows.years_back
),

-- what newcomers of each day were to buy from the window's eve to its end
cohorts as (
    select
        windows.cutoff,
        windows.period_number,
        windows.years_back,
        purchase_days.new_customer_count,
        processes.r,
        processes.alpha_weeks,
        processes.s,
        processes.beta_weeks,
        {{ ratio(
            'greatest(0, ' ~ days_between(
                'purchase_days.purchase_date', 'windows.window_start_date'
            ) ~ ' - 1)', 7
        ) }} as weeks_before,
        {{ ratio(
            days_between('purchase_days.purchase_date', 'windows.window_end_date'), 7
        ) }} as weeks_after
    from windows
    inner join processes on windows.cutoff = processes.cutoff
    inner join purchase_days
        on
            windows.window_end_date >= purchase_days.purchase_date
            and purchase_days.new_customer_count > 0
),

expected as (
    select
        cutoff,
        period_number,
        years_back,
        sum(cast(
            new_customer_count
            * (
                {{ pareto_nbd_expected_purchases(
                    'r', 'alpha_weeks', 's', 'beta_weeks', 'weeks_after'
                ) }}
                - {{ pareto_nbd_expected_purchases(
                    'r', 'alpha_weeks', 's', 'beta_weeks', 'weeks_before'
                ) }}
            ) as decimal(38, 9)
        )) as expected_count
    from cohorts
    group by cutoff, period_number, years_back
),

compared as (
    select
        expected.cutoff,
        expected.period_number,
        expected.years_back,
        expected.expected_count,
        coalesce(bought.purchase_count, 0) as purchase_count
    from expected
    left join bought
        on
            expected.cutoff = bought.cutoff
            and expected.period_number = bought.period_number
            and expected.years_back = bought.years_back
),

-- the year's own purchases, spread over it as Pareto/NBD expects: what the period would
-- have had without a season
shared as (
    select
        compared.cutoff,
        compared.period_number,
        count(*) as year_count,
        sum(compared.purchase_count) as purchase_count,
        sum(cast({{ ratio(
            'whole_year.purchase_count * compared.expected_count',
            'whole_year.expected_count'
        ) }} as decimal(38, 12))) as seasonless_count
    from compared
    inner join compared as whole_year
        on
            compared.cutoff = whole_year.cutoff
            and compared.years_back = whole_year.years_back
            and whole_year.period_number = 0
    where compared.period_number > 0
    group by compared.cutoff, compared.period_number
),

-- one purchase on both sides: none is not less than nothing
seasons as (
    select
        cutoff,
        period_number,
        year_count,
        {{ ratio('purchase_count', 'year_count') }} as purchases_a_year,
        ln({{ ratio('purchase_count + 1', 'seasonless_count + 1') }}) as mean_log_ratio
    from shared
),

final as (
    select
        periods.cutoff,
        periods.period_number,
        cast(coalesce(seasons.year_count, 0) as bigint) as year_count,
        -- six decimals are more than is known
        cast(
            cast(
                coalesce(
                    exp(
                        seasons.mean_log_ratio
                        * {{ ratio(
                            'seasons.year_count',
                            'seasons.year_count + 1 + ' ~ ratio(
                                purchases_that_say_half,
                                'greatest(seasons.purchases_a_year, 1)'
                            )
                        ) }}
                    ),
                    1
                ) as decimal(18, 6)
            ) as {{ type_double() }}
        ) as seasonal_factor
    from periods
    left join seasons
        on
            periods.cutoff = seasons.cutoff
            and periods.period_number = seasons.period_number
)

select * from final
