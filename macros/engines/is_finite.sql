{% macro is_finite(expression) -%}
    {{ return(adapter.dispatch('is_finite', 'customer_lifetime')(expression)) }}
{%- endmacro %}

{#- a double, a date and a timestamp all show it in their text -#}
{% macro default__is_finite(expression) -%}
    lower(cast({{ expression }} as {{ dbt.type_string() }}))
    not in ('infinity', '-infinity', 'inf', '-inf', 'nan')
{%- endmacro %}

{% macro duckdb__is_finite(expression) -%}
    isfinite({{ expression }})
{%- endmacro %}
