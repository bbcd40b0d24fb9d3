{#- A share as percentage points in words. Documented in
    _statistics__experiments__macros.yml. -#}
{% macro in_points(rate) -%}
    cast(cast(100 * ({{ rate }}) as decimal(9, 2)) as {{ dbt.type_string() }})
{%- endmacro %}
