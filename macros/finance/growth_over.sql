{#- `1e0` and not 1: an engine that keeps 1 / 12 as a short decimal loses digits -#}
{% macro growth_over(rate, periods) -%}
    {%- if periods == 0 -%}
        1e0
    {%- elif rate.compoundings == 1 -%}
        power(1e0 + {{ rate.quoted }}, {{ periods }})
    {%- else -%}
        power(1e0 + {{ rate.quoted }}, {{ periods }} / {{ rate.compoundings }}e0)
    {%- endif -%}
{%- endmacro %}
