{#- dbt-duckdb would warn: DuckDB has no users -#}
{% macro duckdb__apply_grants(relation, grant_config, should_revoke=true) -%}
{%- endmacro %}

{#- a plain Spark has none either, and fails on a grant -#}
{% macro spark__apply_grants(relation, grant_config, should_revoke=true) -%}
{%- endmacro %}
