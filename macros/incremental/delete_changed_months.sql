{% macro delete_changed_months(month, incoming, incoming_month=none, where='true') -%}
    {%- if is_incremental() -%}
        {%- set is_changed -%}
            {{ month }} >= (
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
        {%- endset -%}
        {{ delete_partitions(this, [month], is_changed) }}
    {%- endif -%}
{%- endmacro %}
