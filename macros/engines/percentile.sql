{% macro percentile(expression, share) -%}
    {{ return(adapter.dispatch('percentile', 'customer_lifetime')(expression, share)) }}
{%- endmacro %}

{% macro default__percentile(expression, share) -%}
    percentile_cont({{ share }}) within group (order by {{ expression }})
{%- endmacro %}

{#- nearest of a thousand: exact percentiles are no aggregate there -#}
{% macro bigquery__percentile(expression, share) -%}
    approx_quantiles({{ expression }}, 1000)[offset({{ (share * 1000) | round | int }})]
{%- endmacro %}
