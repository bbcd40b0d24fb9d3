{% macro percentile(expression, share) -%}
    {{ return(adapter.dispatch('percentile', 'customer_lifetime')(expression, share)) }}
{%- endmacro %}

{% macro default__percentile(expression, share) -%}
    percentile_cont({{ share }}) within group (order by {{ expression }})
{%- endmacro %}
