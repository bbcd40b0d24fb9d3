{#- Each customer's label becomes the smallest of those that share a key with them, and
    then the label of that one: twice as far with every step. -#}
{% macro labels_spread(keys, labels) -%}
    with smallest as (
        select
            shared.key_kind,
            shared.key_hash,
            min(labels.label) as label
        from {{ keys }} as shared
        inner join {{ labels }} as labels on shared.customer_id = labels.customer_id
        group by shared.key_kind, shared.key_hash
    ),

    spread as (
        select
            shared.customer_id,
            min(smallest.label) as label
        from {{ keys }} as shared
        inner join smallest
            on
                shared.key_kind = smallest.key_kind
                and shared.key_hash = smallest.key_hash
        group by shared.customer_id
    )

    select
        spread.customer_id,
        theirs.label
    from spread
    inner join spread as theirs on spread.label = theirs.customer_id
{%- endmacro %}
