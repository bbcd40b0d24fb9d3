-- Counts the inputs themselves, not through the models that read them: what was
-- delivered is what fct_input_health and fct_reconciliation speak of, in rows and money.
{% set amounts = {
    'orders': 'amount', 'order_items': none, 'marketing_spend': 'amount',
    'subscriptions': 'monthly_amount', 'experiments': 'cost_amount', 'customers': none,
    'products': none, 'touchpoints': none, 'events': none, 'surveys': none,
} %}
with

delivered as (
    {% for input_name, amount in amounts.items() %}
    select
        '{{ input_name }}' as input_name,
        count(*) as row_count,
        {% if input_name == 'order_items' %}
        {{ money('coalesce(sum(' ~ readable_money(product(
            [parsed_money('quantity'), parsed_money('unit_price')]
        )) ~ '), 0)') }} as amount
        {% elif amount %}
        {{ money('coalesce(sum(' ~ parsed_money(amount) ~ '), 0)') }} as amount
        {% else %}
        {{ money('0') }} as amount
        {% endif %}
    from {{ source('shop', input_name) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        input_name,
        raw_row_count as row_count
    from {{ ref('fct_input_health') }}
),

reconciled as (
    select
        input_name,
        value_in as amount
    from {{ ref('fct_reconciliation') }}
    where identity_name = 'raw money = accepted + quarantined + duplicate'
)

select
    delivered.input_name,
    delivered.row_count as delivered_row_count,
    counted.row_count as counted_row_count,
    delivered.amount as delivered_amount,
    reconciled.amount as counted_amount
from delivered
left join counted on delivered.input_name = counted.input_name
left join reconciled on delivered.input_name = reconciled.input_name
where
    delivered.row_count is distinct from counted.row_count
    or delivered.amount is distinct from coalesce(reconciled.amount, 0)
