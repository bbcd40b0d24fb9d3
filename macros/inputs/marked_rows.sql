{#- Hashes find the few keys that are there twice: wide rows need no sorting for that. -#}
{% macro marked_rows(rows, key) -%}
hashed as {{ inlined() }} (
    select
        {{ rows }}.*,
        {{ row_hash(key) }} as key_hash
    from {{ rows }}
),

repeated_keys as (
    select key_hash
    from hashed
    group by key_hash
    having count(*) > 1
),

marked as {{ inlined() }} (
    select
        hashed.*,
        repeated_keys.key_hash is not null as is_repeated
    from hashed
    left join repeated_keys on hashed.key_hash = repeated_keys.key_hash
)
{%- endmacro %}
