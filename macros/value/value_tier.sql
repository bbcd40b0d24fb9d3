{#- Which tier a value is in. Documented in _value__macros.yml. -#}
{% macro value_tier(value, within=none) -%}
    {%- set thresholds = var('value_tier_thresholds') -%}
    {%- if thresholds is not none -%}
        {%- do check_value_tiers('value_tier_thresholds', thresholds) -%}
        {%- if thresholds.high < thresholds.medium -%}
            {{ exceptions.raise_compiler_error(
                'The var value_tier_thresholds must have high at or above medium, not '
                ~ thresholds ~ '.'
            ) }}
        {%- endif -%}
        case
            when {{ value }} >= {{ thresholds.high }} then 'high'
            when {{ value }} >= {{ thresholds.medium }} then 'medium'
            when {{ value }} is not null then 'low'
        end
    {%- else -%}
        {%- set shares = var('value_tier_quantiles') -%}
        {%- do check_value_tiers('value_tier_quantiles', shares) -%}
        {%- if shares.high + shares.medium > 1 -%}
            {{ exceptions.raise_compiler_error(
                'The var value_tier_quantiles must have shares that come to 1 at most,'
                ~ ' not ' ~ shares ~ '.'
            ) }}
        {%- endif -%}
        case
            when {{ value }} is null then null
            when {{ share_at_or_above(value, within) }} <= {{ shares.high }} then 'high'
            when {{ share_at_or_above(value, within) }}
                <= {{ (shares.high + shares.medium) | round(9) }} then 'medium'
            else 'low'
        end
    {%- endif -%}
{%- endmacro %}

{#- Equal values have equal shares, so that a tie is never split. Unknown values stand
    in a partition of their own and count for nobody. -#}
{% macro share_at_or_above(value, within) -%}
    cume_dist() over (
        partition by {{ within ~ ', ' if within }}{{ value }} is null
        order by {{ value }} desc
    )
{%- endmacro %}

{% macro check_value_tiers(name, tiers) -%}
    {%- set is_valid = tiers is mapping and tiers.keys() | sort == ['high', 'medium']
        and is_plain_number(tiers.high) and is_plain_number(tiers.medium)
        and tiers.high >= 0 and tiers.medium >= 0 -%}
    {%- if not is_valid -%}
        {{ exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must be two numbers of at least 0, such as {high: '
            ~ ('0.10, medium: 0.30' if 'quantiles' in name else '500, medium: 100')
            ~ '}, not ' ~ tiers ~ '.'
        ) }}
    {%- endif -%}
{%- endmacro %}
