-- The champion: the average of the three processes, unless one of them missed the
-- purchases of each customer on the earlier window (test, train] by clearly less: root
-- mean squared error at least 1 % lower, and squared errors lower by at least two
-- standard errors of their difference. Averages of good forecasts err less than their
-- parts, and one window is soon won by chance, or by a few customers. The later window
-- plays no part, so that it can judge. Where too few customers bought in the earlier
-- one, nobody knows better.
{% set buyers_needed = 50 %}
{% set lead_needed = 0.01 %}
{% set standard_errors_needed = 2 %}
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

leads as (
    select
        {% for candidate in candidates %}
        {{ candidate }}_error,
        average_error - {{ candidate }}_error as {{ candidate }}_lead,
        cast(power(average_error - {{ candidate }}_error, 2) as decimal(38, 12))
            as {{ candidate }}_squared_lead,
        {% endfor %}
        purchase_count
    from errors
),

judged as (
    {% for candidate in candidates %}
    {% set lead = candidate ~ '_lead' %}
    select
        '{{ candidate }}' as candidate,
        count(*) as customer_count,
        count(purchase_count) as buyer_count,
        sqrt({{ ratio('sum(' ~ candidate ~ '_error)', 'count(*)') }}) as purchase_rmse,
        sqrt({{ ratio('sum(average_error)', 'count(*)') }}) as average_rmse,
        cast(sum({{ lead }}) as {{ type_double() }}) as lead,
        -- of their sum: n times their variance
        sqrt(greatest(
            0,
            cast(sum({{ candidate }}_squared_lead) as {{ type_double() }})
            - {{ ratio('power(sum(' ~ lead ~ '), 2)', 'count(*)') }}
        )) as lead_standard_error
    from leads
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

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
                    when candidate = 'average' then 2
                    when
                        buyer_count >= {{ buyers_needed }}
                        and purchase_rmse <= (1 - {{ lead_needed }}) * average_rmse
                        and lead >= {{ standard_errors_needed }} * lead_standard_error
                        then 1
                    else 3
                end,
                purchase_rmse,
                candidate
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
        cast(ranked.customer_count as bigint) as customer_count,
        cast(ranked.buyer_count as bigint) as buyer_count,
        ranked.is_judged
    from ranked
    cross join champion
    where ranked.candidate != 'average'
)

select * from final
