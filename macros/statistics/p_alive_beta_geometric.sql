{#- 1 / (1 + odds of having left), through the logarithm of the odds: the powers
    themselves overflow for frequent customers. Documented in _statistics__macros.yml. -#}
{% macro p_alive_beta_geometric(r, alpha, a, b, frequency, recency, age) -%}
    {#- least() passes over NULL on some engines -#}
    case
        when {{ [r, alpha, a, b, frequency, recency, age] | join(' + ') }} is not null
            then {{ ratio(1, '(1 + exp(least(700, ln(' ~ a ~ ') - ln(' ~ b ~ ' + ' ~ frequency
                ~ ') + (' ~ r ~ ' + ' ~ frequency ~ ') * (ln(' ~ alpha ~ ' + ' ~ age
                ~ ') - ln(' ~ alpha ~ ' + ' ~ recency ~ ')))))') }}
    end
{%- endmacro %}
