{#- Keeping a table by whole months. Documented in _incremental__macros.yml. -#}

{% macro delete_changed_months(month, incoming, incoming_month=none, where='true') -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ month }} >= (
            select min(coalesce(incoming.month, standing.month))
            from (
                select
                    {{ incoming_month or month }} as month,
                    sum(content_hash) as fingerprint
                from {{ incoming }}
                where {{ where }}
                group by 1
            ) as incoming
            full join (
                select
                    {{ month }} as month,
                    sum(content_hash) as fingerprint
                from {{ this }}
                group by 1
            ) as standing on incoming.month = standing.month
            where incoming.fingerprint is distinct from standing.fingerprint
        )
    {%- endif -%}
{%- endmacro %}

{% macro is_after_standing_months(month, standing_month=none) -%}
    {%- if is_incremental() -%}
        {{ month }} > (
            select coalesce(max({{ standing_month or month }}), cast('0001-01-01' as date))
            from {{ this }}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}
