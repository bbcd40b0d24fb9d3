{% macro money(amount) -%}
    {{ return(adapter.dispatch('money', 'customer_lifetime')(amount)) }}
{%- endmacro %}

{% macro default__money(amount) -%}
    cast({{ amount }} as {{ type_money() }})
{%- endmacro %}

{#- Doubles are rounded as DuckDB does it, after the shift by four decimals: Spark rounds
    the decimal text of a double, which ends on a 5 in other cases. -#}
{% macro spark__money(amount) -%}
    case
        when typeof({{ amount }}) = 'double'
            then cast(
                round(cast({{ amount }} as double) * 1e4) / 1e4 as {{ type_money() }}
            )
        else cast({{ amount }} as {{ type_money() }})
    end
{%- endmacro %}
