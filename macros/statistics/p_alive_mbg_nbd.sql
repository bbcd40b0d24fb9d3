{#- P(alive) of MBG/NBD. Documented in _statistics__macros.yml. -#}
{% macro p_alive_mbg_nbd(r, alpha, a, b, frequency, recency, age) -%}
    {{ return(adapter.dispatch('p_alive_mbg_nbd', 'customer_lifetime')(
        r, alpha, a, b, frequency, recency, age
    )) }}
{%- endmacro %}

{% macro default__p_alive_mbg_nbd(r, alpha, a, b, frequency, recency, age) -%}
    {{ p_alive_beta_geometric(r, alpha, a, b, frequency, recency, age) }}
{%- endmacro %}
