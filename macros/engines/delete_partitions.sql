{% macro delete_partitions(relation, columns, condition) -%}
    {{ return(adapter.dispatch('delete_partitions', 'customer_lifetime')(
        relation, columns, condition
    )) }}
{%- endmacro %}

{% macro default__delete_partitions(relation, columns, condition) -%}
    delete from {{ relation }} where {{ condition }}
{%- endmacro %}

{#- Spark deletes no rows of Parquet files, but whole partitions. -#}
{% macro spark__delete_partitions(relation, columns, condition) -%}
    {%- set found = run_query(
        'select distinct ' ~ columns | join(', ') ~ ' from ' ~ relation
        ~ ' where ' ~ condition
    ).rows -%}
    {%- if found -%}
        alter table {{ relation }} drop if exists
        {%- for row in found %}
        partition (
            {%- for column in columns -%}
                {{ column }} = '{{ row[column] }}'{{ ', ' if not loop.last }}
            {%- endfor -%}
        ){{ ',' if not loop.last }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
