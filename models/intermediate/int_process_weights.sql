-- The champion: the average of the three processes, unless one of them missed the
-- purchases of each customer on the earlier window (test, train] by clearly less (root
-- mean squared error at least 1 % lower). Averages of good forecasts err less than
-- their parts, and one window is soon won by chance. The later window plays no part, so
-- that it can judge. Where too few customers bought in the earlier one, nobody knows
-- better.
{% set buyers_needed = 50 %}
{% set lead_needed = 0.01 %}
{% set candidates = ['bg_nbd', 'mbg_nbd', 'pareto_nbd', 'average'] %}

with

predictions as (
    select
        customer_id,
        bg_nbd_purchases,
        mbg_nbd_purchases,
        pareto_nbd_purchases,
        average_purchases
    from {{ ref('int_process_purchases') }}
    where cutoff = 'test'
),

outcomes as (
    select
        customer_id,
        purchase_count
    from {{ ref('int_customer_outcomes') }}
    where cutoff = 'test'
),

errors as (
    select
        {% for candidate in candidates %}
        cast(
            power(
                predictions.{{ candidate }}_purchases
                - coalesce(outcomes.purchase_count, 0), 2
            ) as decimal(38, 12)
        ) as {{ candidate }}_error,
        {% endfor %}
        outcomes.purchase_count
    from predictions
    left join outcomes on predictions.customer_id = outcomes.customer_id
    where predictions.average_purchases is not null
),

judged as (
    {% for candidate in candidates %}
    select
        '{{ candidate }}' as candidate,
        {{ loop.index }} as candidate_number,
        count(*) as customer_count,
        count(purchase_count) as buyer_count,
        sqrt({{ ratio('sum(' ~ candidate ~ '_error)', 'count(*)') }}) as purchase_rmse
    from errors
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- without a judge the average comes first, with one it starts ahead
ranked as (
    select
        candidate,
        customer_count,
        buyer_count,
        purchase_rmse,
        buyer_count >= {{ buyers_needed }} as is_judged,
        row_number() over (
            order by
                case
                    when candidate = 'average' and buyer_count >= {{ buyers_needed }}
                        then purchase_rmse * (1 - {{ lead_needed }})
                    when candidate = 'average' then 0
                    when buyer_count >= {{ buyers_needed }} then purchase_rmse
                    else 1
                end,
                candidate_number desc
        ) as rank_number
    from judged
),

champion as (
    select candidate
    from ranked
    where rank_number = 1
),

final as (
    select
        ranked.candidate as process,
        champion.candidate as champion,
        case champion.candidate
            when ranked.candidate then 1
            when 'average' then {{ ratio(1, 3) }}
            else 0
        end as weight_rate,
        ranked.purchase_rmse,
        ranked.customer_count,
        ranked.buyer_count,
        ranked.is_judged
    from ranked
    cross join champion
    where ranked.candidate != 'average'
)

select * from final
