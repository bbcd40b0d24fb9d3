{#- Retention at the next renewal. Documented in _statistics__contracts__macros.yml. -#}
{% macro sbg_retention_rate(alpha, beta, age) -%}
    {{ return(adapter.dispatch('sbg_retention_rate', 'customer_lifetime')(
        alpha, beta, age
    )) }}
{%- endmacro %}

{% macro default__sbg_retention_rate(alpha, beta, age) -%}
    case
        when ({{ alpha }}) > 0 and ({{ beta }}) > 0 and ({{ age }}) >= 0
            then
                {{ ratio(
                    '(' ~ beta ~ ') + (' ~ age ~ ')',
                    '(' ~ alpha ~ ') + (' ~ beta ~ ') + (' ~ age ~ ')'
                ) }}
    end
{%- endmacro %}
