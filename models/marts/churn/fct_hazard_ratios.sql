-- Who is lost faster: what is known of customers on their first day, as a table that
-- reads itself. A level is compared with the most frequent one of its trait, an amount
-- with half of it, all other traits being equal. Learned at the live cutoff.
{% set significance = 0.05 %}
{#- the 97.5 % quantile of the normal distribution -#}
{% set z_score = 1.959963984540054 %}

with

learned as (
    select
        relationship,
        survival_trait,
        trait_level,
        hazard_coefficient,
        hazard_standard_error,
        p_value,
        proportionality_p_value,
        level_count,
        is_amount,
        is_reference
    from {{ ref('ml_survival_model') }}
    where cutoff = 'live' and survival_trait != 'none'
),

trait_references as (
    select
        relationship,
        survival_trait,
        trait_level as reference_level
    from learned
    where is_reference and trait_level != 'other'
),

-- ln 2: from an amount to twice as much
scales as (
    select
        true as is_amount,
        ln(2) as effect_scale

    union all

    select
        false as is_amount,
        1 as effect_scale
),

scaled as (
    select
        learned.relationship,
        learned.survival_trait,
        learned.trait_level,
        case
            when learned.is_amount then 'half the amount'
            else trait_references.reference_level
        end as reference_level,
        replace(learned.survival_trait, '_', ' ') as trait_label,
        learned.level_count,
        exp(learned.hazard_coefficient * scales.effect_scale) as hazard_ratio,
        exp(scales.effect_scale * (
            learned.hazard_coefficient
            - {{ z_score }} * learned.hazard_standard_error
        )) as hazard_ratio_lower,
        exp(scales.effect_scale * (
            learned.hazard_coefficient
            + {{ z_score }} * learned.hazard_standard_error
        )) as hazard_ratio_upper,
        learned.p_value,
        learned.proportionality_p_value >= {{ significance }} as is_proportional,
        learned.is_amount,
        coalesce(learned.trait_level = trait_references.reference_level, false)
            as is_reference
    from learned
    inner join scales on learned.is_amount = scales.is_amount
    left join trait_references
        on
            learned.relationship = trait_references.relationship
            and learned.survival_trait = trait_references.survival_trait
),

worded as (
    select
        relationship,
        survival_trait,
        trait_level,
        reference_level,
        level_count,
        hazard_ratio,
        hazard_ratio_lower,
        hazard_ratio_upper,
        p_value,
        is_reference,
        is_proportional,
        {{ ratio_words('hazard_ratio') }} as ratio_words,
        ' (95 %: ' || {{ ratio_words('hazard_ratio_lower') }}
        || ' to ' || {{ ratio_words('hazard_ratio_upper') }} || ')' as bounds_words,
        case
            when is_amount then 'twice the ' || trait_label
            else trait_label || ' ' || trait_level
        end as level_words,
        case
            when is_amount then 'those with half of it'
            else 'those of ' || reference_level
        end as reference_words
    from scaled
),

final as (
    select
        relationship,
        survival_trait,
        trait_level,
        reference_level,
        cast(level_count as bigint) as customer_count,
        hazard_ratio,
        hazard_ratio_lower,
        hazard_ratio_upper,
        p_value,
        case
            when is_reference
                then
                    'customers of ' || level_words
                    || ': those whom the others are compared with'
            when p_value is null
                then
                    'customers of ' || level_words || ': cannot be told from '
                    || reference_words || ' with these data, and counted like them'
            when p_value >= {{ significance }}
                then
                    'customers of ' || level_words || ': no clear difference from '
                    || reference_words || ', lost ' || ratio_words || ' times as fast'
                    || bounds_words
            else
                'customers of ' || level_words || ' are lost ' || ratio_words
                || ' times as fast as ' || reference_words || bounds_words
        end
        || case
            when not is_proportional then '; the difference changes with time' else ''
        end as hazard_words,
        is_reference,
        is_proportional
    from worded
)

select * from final
