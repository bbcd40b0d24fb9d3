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
