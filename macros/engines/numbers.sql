{% macro numbers(count) -%}
    {{ return(adapter.dispatch('numbers', 'customer_lifetime')(count)) }}
{%- endmacro %}

{% macro default__numbers(count) -%}
    (select generate_series as n from generate_series(0, {{ count }} - 1))
{%- endmacro %}

{% macro duckdb__numbers(count) -%}
    (select cast(range as integer) as n from range({{ count }}))
{%- endmacro %}

{% macro spark__numbers(count) -%}
    (select cast(id as int) as n from range({{ count }}))
{%- endmacro %}

{% macro bigquery__numbers(count) -%}
    (select n from unnest(generate_array(0, {{ count }} - 1)) as n)
{%- endmacro %}

{% macro snowflake__numbers(count) -%}
    (
        select row_number() over (order by seq4()) - 1 as n
        from table(generator(rowcount => {{ count }}))
    )
{%- endmacro %}

{#- generate_series runs on the leader node alone, which cannot be joined with tables -#}
{% macro redshift__numbers(count) -%}
    (
        with recursive counted(n) as (
            select 0 as n
            union all
            select n + 1 as n from counted where n + 1 < {{ count }}
        )
        select n from counted
    )
{%- endmacro %}
