{#- What ml_churn_model learned, a line per row. Documented in
    _statistics__churn__macros.yml. -#}
{% macro churn_lines(learned) -%}
    select
        cutoff,
        relationship,
        churn_learner,
        is_winner,
        max(
            case when churn_term = 'intercept' then
                calibration_slope * decision_coefficient + calibration_intercept
            end
        ) as base_log_odds,
        {%- for trait in numeric_traits() %}
        max(case when churn_term = '{{ trait }}' and is_logarithm then 1 else 0 end)
            as {{ trait }}_logarithm,
        max(case when churn_term = '{{ trait }}' then term_mean end)
            as {{ trait }}_mean,
        max(case when churn_term = '{{ trait }}' then term_standard_deviation end)
            as {{ trait }}_standard_deviation,
        coalesce(max(
            case when churn_term = '{{ trait }}' then
                calibration_slope * decision_coefficient
            end
        ), 0) as {{ trait }}_slope,
        max(
            case
                when
                    churn_term = '{{ trait }}'
                    and decision_coefficient * own_correlation > 0
                    then 1
                else 0
            end
        ) as {{ trait }}_telling,
        {%- endfor %}
        {%- for trait in text_traits() %}
        -- sums of decimals are the same in any order of rows
        coalesce(cast(sum(
            case when churn_term = '{{ trait }}' then
                cast(
                    calibration_slope * decision_coefficient * term_mean
                    as decimal(38, 12)
                )
            end
        ) as {{ type_double() }}), 0) as {{ trait }}_average
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ learned }}
    group by cutoff, relationship, churn_learner, is_winner
{%- endmacro %}
