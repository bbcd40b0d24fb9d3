{#- dbt's own asks the database, which `--no-introspect` forbids -#}
{% macro is_incremental() -%}
    {{ return(flags.INTROSPECT and dbt.is_incremental()) }}
{%- endmacro %}
