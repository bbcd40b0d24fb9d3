{#- Survival of further renewals. Documented in _statistics__contracts__macros.yml. -#}
{% macro sbg_survival_rate(alpha, beta, age, period_number, partition_by) -%}
    {{ return(adapter.dispatch('sbg_survival_rate', 'customer_lifetime')(
        alpha, beta, age, period_number, partition_by
    )) }}
{%- endmacro %}

{#- Sums of decimals are exact: the same in any order of rows and on any engine. -#}
{% macro default__sbg_survival_rate(
    alpha, beta, age, period_number, partition_by
) -%}
    {%- set retention = sbg_retention_rate(
        alpha, beta, '(' ~ age ~ ') + (' ~ period_number ~ ') - 1'
    ) -%}
    exp(cast(sum(cast(ln({{ retention }}) as decimal(38, 24))) over (
        partition by {{ partition_by | join(', ') }}
        order by {{ period_number }}
        rows between unbounded preceding and current row
    ) as {{ type_double() }}))
{%- endmacro %}
