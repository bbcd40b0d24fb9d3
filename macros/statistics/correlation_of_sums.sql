{#- Pearson's correlation from sums. Documented in _statistics__judging__macros.yml. -#}
{% macro correlation_of_sums(count, sum_x, sum_y, sum_xy, sum_xx, sum_yy) -%}
    {%- set x_spread = '(' ~ product([count, sum_xx]) ~ ' - ' ~ product([sum_x, sum_x]) ~ ')' -%}
    {%- set y_spread = '(' ~ product([count, sum_yy]) ~ ' - ' ~ product([sum_y, sum_y]) ~ ')' -%}
    case
        when {{ x_spread }} > 1e-12 * {{ product([count, sum_xx]) }}
            and {{ y_spread }} > 1e-12 * {{ product([count, sum_yy]) }}
            then greatest(-1, least(1,
                ({{ product([count, sum_xy]) }} - {{ product([sum_x, sum_y]) }})
                / (sqrt({{ x_spread }}) * sqrt({{ y_spread }}))
            ))
    end
{%- endmacro %}
