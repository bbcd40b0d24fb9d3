{% macro delete_audiences_to_replace() -%}
    {%- if is_incremental() -%}
        {%- set is_to_replace -%}
            not is_exported
            or audience_date = (
                select cutoffs.cutoff_date
                from {{ ref('int_cutoff_dates') }} as cutoffs
                where
                    cutoffs.cutoff = 'live'
                    and cutoffs.cutoff_date >= (
                        select max(ledger.audience_date)
                        from {{ this }} as ledger
                    )
            )
        {%- endset -%}
        {{ delete_partitions(this, ['audience_date', 'is_exported'], is_to_replace) }}
    {%- endif -%}
{%- endmacro %}
