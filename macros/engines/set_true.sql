{% macro set_true(relation, column) -%}
    {{ return(adapter.dispatch('set_true', 'customer_lifetime')(relation, column)) }}
{%- endmacro %}

{% macro default__set_true(relation, column) -%}
    update {{ relation }} set {{ column }} = true where not {{ column }}
{%- endmacro %}

{#- Parquet files are not updated: the rows are put down anew and their partition goes.
    A run that ends in between leaves both, of which only the true ones count. -#}
{% macro spark__set_true(relation, column) -%}
    {%- set names = run_query('select * from ' ~ relation ~ ' limit 0').column_names -%}
    {%- set others = names | reject('equalto', column) | join(', ') -%}
    {%- do run_query(
        'insert into ' ~ relation ~ ' (' ~ others ~ ', ' ~ column ~ ') select '
        ~ others ~ ', true from ' ~ relation ~ ' where not ' ~ column
    ) -%}
    {{ delete_partitions(relation, [column], 'not ' ~ column) }}
{%- endmacro %}
