-- A customer is activated by the first purchase, and comes back with the second.
-- Counts and medians are so far; what can be compared between cohorts are the window
-- rates. Of a window of 30 days only those count, above and below the line, whom the
-- shop has been able to watch for 30 days; day 30 itself is in the window.
-- A cohort is mature when everyone has had 30 days to activate and then 90 to return.
-- Of a cohort from before the month of the first order only counts are known: nobody
-- saw these customers buy then, and what is their first purchase here may not be.
with

customers as (
    select
        customer_id,
        acquired_date,
        first_purchase_date,
        acquisition_channel
    from {{ ref('dim_customers') }}
    -- listed without a date, and never purchased: no cohort
    where acquired_date is not null
),

second_purchases as (
    select
        customer_id,
        days_since_previous_purchase as days_to_second_purchase
    from {{ ref('int_customer_days') }}
    where purchase_number = 2
),

live as (
    select
        cutoff_date,
        -- the first month of which someone has been known for less than 120 days
        {{ month_start(add_days('cutoff_date', '1 - 120')) }} as first_open_month,
        {{ month_start('first_order_date') }} as first_order_month
    from {{ ref('int_cutoff_dates') }}
    where cutoff = 'live'
),

timed as (
    select
        {{ month_start('customers.acquired_date') }} as acquired_month,
        customers.acquisition_channel as channel,
        live.first_open_month,
        customers.acquired_date >= live.first_order_month as is_observed,
        {{ days_between('customers.acquired_date', 'customers.first_purchase_date') }}
            as days_to_first_purchase,
        -- for how long the shop has watched; who came before the orders is in no window
        case
            when customers.acquired_date >= live.first_order_month
                then {{ days_between('customers.acquired_date', 'live.cutoff_date') }}
        end as days_known,
        case
            when customers.acquired_date >= live.first_order_month
                then {{ days_between(
                    'customers.first_purchase_date', 'live.cutoff_date'
                ) }}
        end as days_since_first_purchase,
        second_purchases.days_to_second_purchase
    from customers
    cross join live
    left join second_purchases on customers.customer_id = second_purchases.customer_id
),

counted as (
    select
        acquired_month,
        channel,
        first_open_month,
        is_observed,
        count(*) as customer_count,
        count(days_to_first_purchase) as first_purchase_count,
        {{ percentile('days_to_first_purchase', 0.5) }}
            as median_days_to_first_purchase,
        count(days_to_second_purchase) as second_purchase_count,
        {{ percentile('days_to_second_purchase', 0.5) }}
            as median_days_to_second_purchase,
        count(case when days_known >= 30 then 1 end)
            as activation_30_days_eligible_count,
        count(case when days_known >= 30 and days_to_first_purchase <= 30 then 1 end)
            as activation_30_days_count,
        count(case when days_since_first_purchase >= 30 then 1 end)
            as second_purchase_30_days_eligible_count,
        count(
            case
                when days_since_first_purchase >= 30 and days_to_second_purchase <= 30
                    then 1
            end
        ) as second_purchase_30_days_count,
        count(case when days_since_first_purchase >= 60 then 1 end)
            as second_purchase_60_days_eligible_count,
        count(
            case
                when days_since_first_purchase >= 60 and days_to_second_purchase <= 60
                    then 1
            end
        ) as second_purchase_60_days_count,
        count(case when days_since_first_purchase >= 90 then 1 end)
            as second_purchase_90_days_eligible_count,
        count(
            case
                when days_since_first_purchase >= 90 and days_to_second_purchase <= 90
                    then 1
            end
        ) as second_purchase_90_days_count
    from timed
    group by acquired_month, channel, first_open_month, is_observed
),

final as (
    select
        acquired_month,
        channel,
        customer_count,
        first_purchase_count,
        case
            when is_observed then {{ ratio('first_purchase_count', 'customer_count') }}
        end as first_purchase_rate,
        cast(
            case when is_observed then median_days_to_first_purchase end
            as {{ type_double() }}
        ) as median_days_to_first_purchase,
        second_purchase_count,
        case
            when is_observed
                then {{ ratio('second_purchase_count', 'first_purchase_count') }}
        end as second_purchase_rate,
        cast(
            case when is_observed then median_days_to_second_purchase end
            as {{ type_double() }}
        ) as median_days_to_second_purchase,
        activation_30_days_eligible_count,
        activation_30_days_count,
        {{ ratio('activation_30_days_count', 'activation_30_days_eligible_count') }}
            as activation_30_days_rate,
        second_purchase_30_days_eligible_count,
        second_purchase_30_days_count,
        {{ ratio(
            'second_purchase_30_days_count', 'second_purchase_30_days_eligible_count'
        ) }} as second_purchase_30_days_rate,
        second_purchase_60_days_eligible_count,
        second_purchase_60_days_count,
        {{ ratio(
            'second_purchase_60_days_count', 'second_purchase_60_days_eligible_count'
        ) }} as second_purchase_60_days_rate,
        second_purchase_90_days_eligible_count,
        second_purchase_90_days_count,
        {{ ratio(
            'second_purchase_90_days_count', 'second_purchase_90_days_eligible_count'
        ) }} as second_purchase_90_days_rate,
        is_observed and acquired_month < first_open_month as is_mature
    from counted
)

select * from final
