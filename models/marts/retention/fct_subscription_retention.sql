-- Monthly recurring revenue (MRR) at a month's end is the monthly amount of all
-- contracts that run on its last day. Revenue retention asks what became of the MRR
-- at the start of the month: gross without, net with expansion; new and returning
-- customers are in neither, since they were not there at the start.
with

changes as (
    select
        change_month,
        cutoff_date,
        movement,
        mrr_change_amount
    from {{ ref('int_subscription_changes') }}
),

changed as (
    select
        change_month,
        count(case when movement = 'new' then 1 end) as new_subscriber_count,
        count(case when movement = 'reactivated' then 1 end)
            as reactivated_subscriber_count,
        count(case when movement = 'churned' then 1 end) as churned_subscriber_count,
        sum(mrr_change_amount) as mrr_change_amount,
        sum(case when movement = 'new' then mrr_change_amount end) as new_mrr_amount,
        sum(case when movement = 'expanded' then mrr_change_amount end)
            as expansion_mrr_amount,
        sum(case when movement = 'reactivated' then mrr_change_amount end)
            as reactivation_mrr_amount,
        sum(case when movement = 'contracted' then mrr_change_amount end)
            as contraction_mrr_amount,
        sum(case when movement = 'churned' then mrr_change_amount end)
            as churned_mrr_amount
    from changes
    group by change_month
),

spans as (
    select
        min(change_month) as first_month,
        {{ month_start('max(cutoff_date)') }} as live_month,
        {{ month_start(add_days('max(cutoff_date)', 1)) }} as first_open_month
    from changes
),

spine as (
    select
        {{ add_months('spans.first_month', 'numbers.n') }} as calendar_month,
        spans.first_open_month
    from spans
    cross join {{ numbers(1200) }} as numbers
    where
        numbers.n
        <= {{ months_between('spans.first_month', 'spans.live_month') }}
),

months as (
    select
        calendar_month,
        calendar_month < first_open_month as is_mature
    from spine
),

-- a month without a row is 0
filled as (
    select
        months.calendar_month,
        months.is_mature,
        coalesce(changed.new_subscriber_count, 0) as new_subscriber_count,
        coalesce(changed.reactivated_subscriber_count, 0)
            as reactivated_subscriber_count,
        coalesce(changed.churned_subscriber_count, 0) as churned_subscriber_count,
        coalesce(changed.mrr_change_amount, 0) as mrr_change_amount,
        coalesce(changed.new_mrr_amount, 0) as new_mrr_amount,
        coalesce(changed.expansion_mrr_amount, 0) as expansion_mrr_amount,
        coalesce(changed.reactivation_mrr_amount, 0) as reactivation_mrr_amount,
        coalesce(changed.contraction_mrr_amount, 0) as contraction_mrr_amount,
        coalesce(changed.churned_mrr_amount, 0) as churned_mrr_amount
    from months
    left join changed on months.calendar_month = changed.change_month
),

running as (
    select
        filled.*,
        sum(filled.mrr_change_amount) over (
            order by filled.calendar_month
            rows between unbounded preceding and current row
        ) as ending_mrr_amount,
        sum(
            filled.new_subscriber_count + filled.reactivated_subscriber_count
            - filled.churned_subscriber_count
        ) over (
            order by filled.calendar_month
            rows between unbounded preceding and current row
        ) as ending_subscriber_count
    from filled
),

-- what the live month will come to is not known yet, where it started is
known as (
    select
        calendar_month,
        is_mature,
        ending_subscriber_count - new_subscriber_count - reactivated_subscriber_count
        + churned_subscriber_count as starting_subscriber_count,
        ending_mrr_amount - mrr_change_amount as starting_mrr_amount,
        case when is_mature then new_subscriber_count end as new_subscriber_count,
        case when is_mature then reactivated_subscriber_count end
            as reactivated_subscriber_count,
        case when is_mature then churned_subscriber_count end
            as churned_subscriber_count,
        case when is_mature then ending_subscriber_count end as ending_subscriber_count,
        case when is_mature then new_mrr_amount end as new_mrr_amount,
        case when is_mature then expansion_mrr_amount end as expansion_mrr_amount,
        case when is_mature then reactivation_mrr_amount end as reactivation_mrr_amount,
        case when is_mature then contraction_mrr_amount end as contraction_mrr_amount,
        case when is_mature then churned_mrr_amount end as churned_mrr_amount,
        case when is_mature then ending_mrr_amount end as ending_mrr_amount
    from running
),

final as (
    select
        calendar_month,
        cast(starting_subscriber_count as bigint) as starting_subscriber_count,
        cast(new_subscriber_count as bigint) as new_subscriber_count,
        cast(reactivated_subscriber_count as bigint) as reactivated_subscriber_count,
        cast(churned_subscriber_count as bigint) as churned_subscriber_count,
        cast(ending_subscriber_count as bigint) as ending_subscriber_count,
        {{ money('starting_mrr_amount') }} as starting_mrr_amount,
        {{ money('new_mrr_amount') }} as new_mrr_amount,
        {{ money('expansion_mrr_amount') }} as expansion_mrr_amount,
        {{ money('reactivation_mrr_amount') }} as reactivation_mrr_amount,
        {{ money('contraction_mrr_amount') }} as contraction_mrr_amount,
        {{ money('churned_mrr_amount') }} as churned_mrr_amount,
        {{ money('ending_mrr_amount') }} as ending_mrr_amount,
        {{ ratio(
            'starting_mrr_amount + contraction_mrr_amount + churned_mrr_amount',
            'starting_mrr_amount'
        ) }} as gross_revenue_retention_rate,
        {{ ratio(
            'starting_mrr_amount + expansion_mrr_amount + contraction_mrr_amount '
            ~ '+ churned_mrr_amount',
            'starting_mrr_amount'
        ) }} as net_revenue_retention_rate,
        is_mature
    from known
)

select * from final
