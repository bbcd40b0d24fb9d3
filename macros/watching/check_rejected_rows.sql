{#- A hook of the base models: what reads the input is not built then. -#}
{% macro check_rejected_rows(relation) -%}
    {%- if execute and flags.INTROSPECT and var('inputs_maximum_rejected_rate') -%}
        {%- set allowed = setting_by_input(
            'inputs_maximum_rejected_rate', minimum=0, maximum=1
        ) -%}
        {%- set name = relation.identifier | replace('base_shop__', '') -%}
        {%- set rows = 'select row_outcome, rejection_reasons from ' ~ relation -%}
        {%- if name == 'orders_of_unknown_customers' -%}
            {%- set name = 'orders' -%}
            {%- set orders = api.Relation.create(
                database=relation.database, schema=relation.schema,
                identifier='base_shop__orders'
            ) -%}
            {%- set rows -%}
                select
                    case when strangers.order_id is null then orders.row_outcome
                        else 'quarantined' end as row_outcome,
                    case when strangers.order_id is null then orders.rejection_reasons
                        else 'customer_id: unknown_customer' end as rejection_reasons
                from {{ orders }} as orders
                left join {{ relation }} as strangers
                    on
                        orders.order_id = strangers.order_id
                        and orders.row_outcome = 'accepted'
            {%- endset -%}
        {%- endif -%}
        {%- if name in allowed -%}
            {%- set counted = run_query(
                "select count(*), sum(case when row_outcome = 'quarantined' then 1 else 0"
                ~ ' end) from (' ~ rows ~ ') as judged'
            ).rows[0] -%}
            {%- if counted[0] and counted[1] > allowed[name] * counted[0] -%}
                {%- set reasons = [] -%}
                {%- for reason in run_query(
                    'select rejection_reasons, count(*) from (' ~ rows ~ ') as judged'
                    ~ " where row_outcome = 'quarantined' group by rejection_reasons"
                    ~ ' order by count(*) desc, rejection_reasons limit 3'
                ).rows -%}
                    {%- do reasons.append(reason[0] ~ ' (' ~ reason[1] ~ ')') -%}
                {%- endfor -%}
                {%- do exceptions.raise_compiler_error(
                    counted[1] ~ ' of ' ~ counted[0] ~ ' rows of ' ~ name
                    ~ ' are rejected, '
                    ~ (100 * counted[1] / counted[0]) | round(2) ~ ' %; at most '
                    ~ (100 * allowed[name]) | round(2) ~ ' % are allowed (var'
                    ~ ' inputs_maximum_rejected_rate). Most of them for: '
                    ~ reasons | join('; ') ~ '.'
                ) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
