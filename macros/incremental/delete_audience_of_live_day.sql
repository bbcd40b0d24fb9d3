{% macro delete_audience_of_live_day() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where audience_date = (
            select cutoffs.cutoff_date
            from {{ ref('int_cutoff_dates') }} as cutoffs
            where cutoffs.cutoff = 'live'
        )
    {%- endif -%}
{%- endmacro %}
