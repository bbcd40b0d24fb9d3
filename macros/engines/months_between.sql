{% macro months_between(earlier, later) -%}
    {{ return(adapter.dispatch('months_between', 'customer_lifetime')(earlier, later)) }}
{%- endmacro %}

{% macro default__months_between(earlier, later) -%}
    cast(
        12 * (extract(year from {{ later }}) - extract(year from {{ earlier }}))
        + extract(month from {{ later }}) - extract(month from {{ earlier }})
        as bigint
    )
{%- endmacro %}

{% macro duckdb__months_between(earlier, later) -%}
    date_diff('month', {{ earlier }}, {{ later }})
{%- endmacro %}
