-- What was known of customers on the evening of an earlier cutoff, and whether they
-- were gone by the next one, which is over by now.
-- With a contract that ran at the cutoff: gone = no contract runs at the window's end.
-- Who ends one and starts another within the window has stayed.
-- Without contract: gone = no purchase in the window. This is no question of the
-- threshold of int_churn_events: a window is of one length for everyone.
-- Who had no running contract any more is in neither part: that has been decided.
with

cutoffs as (
    select
        cutoff,
        {{ add_days('cutoff_date', 'holdout_days') }} as window_end_date
    from {{ ref('int_cutoff_dates') }}
    where cutoff in ('test', 'train')
),

traits as (
    select
        cutoff,
        customer_id,
        relationship,
        {% for trait in text_traits() + numeric_traits() %}
        {{ trait }},
        {% endfor %}
        has_running_contract
    from {{ ref('int_customer_traits') }}
    where cutoff in ('test', 'train')
),

outcomes as (
    select
        cutoff,
        customer_id
    from {{ ref('int_customer_outcomes') }}
),

subscriptions as (
    select
        customer_id,
        cast(started_at as date) as started_date,
        cast(ended_at as date) as ended_date
    from {{ ref('stg_shop__subscriptions') }}
),

running_at_the_end as (
    select distinct
        cutoffs.cutoff,
        subscriptions.customer_id
    from subscriptions
    inner join cutoffs
        on
            subscriptions.started_date <= cutoffs.window_end_date
            and coalesce(subscriptions.ended_date > cutoffs.window_end_date, true)
),

final as (
    select
        traits.cutoff,
        traits.customer_id,
        traits.relationship,
        {% for trait in text_traits() + numeric_traits() %}
        traits.{{ trait }},
        {% endfor %}
        case
            when traits.relationship = 'contractual'
                then running_at_the_end.customer_id is null
            else outcomes.customer_id is null
        end as has_left
    from traits
    left join outcomes
        on
            traits.cutoff = outcomes.cutoff
            and traits.customer_id = outcomes.customer_id
    left join running_at_the_end
        on
            traits.cutoff = running_at_the_end.cutoff
            and traits.customer_id = running_at_the_end.customer_id
    where
        case
            when traits.relationship = 'contractual' then traits.has_running_contract
            -- a purchase is worth more than nothing: who has none has no mean
            else traits.mean_purchase_amount > 0
        end
)

select * from final
