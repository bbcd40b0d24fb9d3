{#- One step of the sweep per pivot. Documented in _statistics__attribution__macros.yml. -#}
{% macro sweep_steps(pivot_count) -%}
    {{ return(adapter.dispatch('sweep_steps', 'customer_lifetime')(pivot_count)) }}
{%- endmacro %}

{% macro default__sweep_steps(pivot_count) -%}
{% for k in range(1, pivot_count + 1) %}
crosses_{{ k }} as (
    select
        i,
        j,
        entry,
        max(case when j = {{ k }} then entry end) over (partition by i) as in_row,
        max(case when i = {{ k }} then entry end) over (partition by j) as in_column,
        max(case when i = {{ k }} and j = {{ k }} then entry end) over () as on_diagonal
    from matrix_{{ k - 1 }}
),

matrix_{{ k }} as (
    select
        i,
        j,
        case
            when on_diagonal is null then entry
            when i = {{ k }} and j = {{ k }} then 1 / on_diagonal
            when i = {{ k }} then entry / on_diagonal
            when j = {{ k }} then -entry / on_diagonal
            else entry - in_row * in_column / on_diagonal
        end as entry
    from crosses_{{ k }}
),
{% endfor %}
{%- endmacro %}
