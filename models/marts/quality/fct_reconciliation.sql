-- Nothing is lost: each identity says what went in and where it ended, in rows or in
-- money, and must hold to the cent.
with

counted as (
    select
        input_name,
        row_outcome,
        row_count,
        amount
    from {{ ref('int_commerce_rows_counted') }}

    union all

    select
        input_name,
        row_outcome,
        row_count,
        amount
    from {{ ref('int_marketing_rows_counted') }}
),

delivered as (
    select
        input_name,
        sum(row_count) as row_count,
        sum(amount) as amount,
        sum(case when row_outcome = 'accepted' then row_count end) as accepted_count,
        sum(case when row_outcome = 'accepted' then amount end) as accepted_amount
    from counted
    group by input_name
),

rejected as (
    select
        input_name,
        count(*) as row_count,
        sum(amount) as amount
    from {{ ref('fct_rejected_rows') }}
    group by input_name
),

identities as (
    select
        delivered.input_name,
        'raw rows = accepted + quarantined + duplicate' as identity_name,
        {{ money('delivered.row_count') }} as value_in,
        {{ money(
            'coalesce(delivered.accepted_count, 0) + coalesce(rejected.row_count, 0)'
        ) }} as value_out
    from delivered
    left join rejected on delivered.input_name = rejected.input_name

    union all

    select
        delivered.input_name,
        'raw money = accepted + quarantined + duplicate' as identity_name,
        {{ money('delivered.amount') }} as value_in,
        {{ money(
            'coalesce(delivered.accepted_amount, 0) + coalesce(rejected.amount, 0)'
        ) }} as value_out
    from delivered
    left join rejected on delivered.input_name = rejected.input_name

    union all

    -- only where somebody was forgotten; else what is delivered is what is raw
    select
        forgotten.input_name,
        'delivered rows + stand-ins = accepted + quarantined + duplicate + forgotten'
            as identity_name,
        {{ money('forgotten.delivered_row_count + forgotten.stand_in_row_count') }}
            as value_in,
        {{ money(
            'coalesce(delivered.accepted_count, 0) + coalesce(rejected.row_count, 0) '
            ~ '+ forgotten.forgotten_row_count'
        ) }} as value_out
    from {{ ref('stg_erasure__forgotten_rows') }} as forgotten
    left join delivered on forgotten.input_name = delivered.input_name
    left join rejected on forgotten.input_name = rejected.input_name

    union all

    select
        input_name,
        identity_name,
        value_in,
        value_out
    from {{ ref('int_orders_reconciled') }}

    union all

    select
        input_name,
        identity_name,
        value_in,
        value_out
    from {{ ref('int_order_items_reconciled') }}
),

final as (
    select
        input_name,
        identity_name,
        value_in,
        value_out,
        {{ money('value_in - value_out') }} as difference,
        value_in = value_out as is_reconciled
    from identities
)

select * from final
