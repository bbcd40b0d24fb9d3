{% macro create_log_table(relation, columns, partition) -%}
    {{ return(adapter.dispatch('create_log_table', 'customer_lifetime')(
        relation, columns, partition
    )) }}
{%- endmacro %}

{% macro default__create_log_table(relation, columns, partition) -%}
    create table if not exists {{ relation }} (
        {%- for name, type in columns.items() -%}
            {{ name }} {{ type }}{{ ', ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}

{#- rows of Parquet files are not deleted, but whole partitions -#}
{% macro spark__create_log_table(relation, columns, partition) -%}
    {{ default__create_log_table(relation, columns, partition) }}
    using parquet partitioned by ({{ partition }})
{%- endmacro %}
