{#- P(alive) of BG/NBD. Documented in _statistics__macros.yml. -#}
{% macro p_alive_bg_nbd(r, alpha, a, b, frequency, recency, age) -%}
    {{ return(adapter.dispatch('p_alive_bg_nbd', 'customer_lifetime')(
        r, alpha, a, b, frequency, recency, age
    )) }}
{%- endmacro %}

{% macro default__p_alive_bg_nbd(r, alpha, a, b, frequency, recency, age) -%}
    case
        when {{ frequency }} = 0 then 1
        else {{ p_alive_beta_geometric(
            r, alpha, a, b ~ ' - 1', frequency, recency, age
        ) }}
    end
{%- endmacro %}
