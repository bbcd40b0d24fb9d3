-- What a customer's next purchases in each category are worth: V = P x R, with P the
-- share of the customers known at the train cutoff who bought in the category within
-- the window (train, live], and R the margin per buyer. Customers who came later are in
-- neither. Refunds are netted: an order's refund is spread over its lines by amount,
-- and who sent everything back is no buyer.
with

cutoffs as (
    select
        cutoff,
        cutoff_date,
        holdout_days
    from {{ ref('int_cutoff_dates') }}
),

train as (
    select
        cutoff_date,
        holdout_days
    from cutoffs
    where cutoff = 'train'
),

live as (
    select cutoff_date
    from cutoffs
    where cutoff = 'live'
),

customers as (
    select customer_id
    from {{ ref('int_customer_features') }}
    where cutoff = 'train'
),

refunds as (
    select
        order_id,
        {{ ratio('refund_amount', 'order_amount') }} as refund_rate
    from {{ ref('fct_orders') }}
    where refund_amount > 0
),

items as (
    select
        order_id,
        customer_id,
        order_date,
        category,
        line_amount,
        cost_amount,
        margin_amount
    from {{ ref('fct_order_items') }}
    where order_state = 'completed'
),

netted as (
    select
        items.customer_id,
        items.category,
        items.order_date > train.cutoff_date as is_in_window,
        items.line_amount * (1 - coalesce(refunds.refund_rate, 0)) as revenue_amount,
        -- without a cost, margin is a share of the revenue and shrinks with it
        items.margin_amount
        - coalesce(refunds.refund_rate, 0)
        * case
            when items.cost_amount is null then items.margin_amount
            else items.line_amount
        end as margin_amount
    from items
    inner join customers on items.customer_id = customers.customer_id
    cross join train
    left join refunds on items.order_id = refunds.order_id
),

customer_categories as (
    select
        customer_id,
        category,
        sum(case when is_in_window then {{ money('revenue_amount') }} end)
            as revenue_amount,
        sum(case when is_in_window then {{ money('margin_amount') }} end)
            as margin_amount
    from netted
    group by customer_id, category
),

population as (
    select count(*) as customer_count
    from customers
),

-- a category sold only before the window has no buyers and no value
categories as (
    select
        category,
        count(case when revenue_amount > 0 then 1 end) as buyer_count,
        {{ money('coalesce(sum(margin_amount), 0)') }}
            as category_margin_amount
    from customer_categories
    group by category
),

valued as (
    select
        categories.category,
        {{ add_days('train.cutoff_date', 1) }} as window_start_date,
        live.cutoff_date as window_end_date,
        train.holdout_days as window_days,
        population.customer_count,
        categories.buyer_count,
        categories.category_margin_amount,
        {{ ratio('categories.buyer_count', 'population.customer_count') }}
            as purchase_probability_rate,
        {{ money(ratio(
            'categories.category_margin_amount', 'categories.buyer_count'
        )) }}
            as margin_per_buyer_amount,
        {{ money(ratio(
            'categories.category_margin_amount', 'population.customer_count'
        )) }}
            as value_per_customer_amount,
        greatest(categories.category_margin_amount, 0) as positive_margin_amount
    from categories
    cross join population
    cross join train
    cross join live
),

final as (
    select
        category,
        window_start_date,
        window_end_date,
        window_days,
        customer_count,
        buyer_count,
        category_margin_amount,
        purchase_probability_rate,
        margin_per_buyer_amount,
        value_per_customer_amount,
        {{ ratio('positive_margin_amount', 'sum(positive_margin_amount) over ()') }}
            as share_of_margin_rate
    from valued
)

select * from final
