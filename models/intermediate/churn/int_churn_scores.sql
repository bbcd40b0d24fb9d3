-- How likely customers are to leave within the window that follows a cutoff, and what
-- speaks for it most, as learned from the window before: at the live cutoff by the
-- winner, at the train cutoff by each learner, so that it can be judged.
-- The log odds of leaving are a sum. A reason is what raises a customer's odds by at
-- least a tenth above the mean of all who are scored, the largest first: what is the
-- same for everyone is no reason. It must go along with leaving by itself too: where
-- traits say nearly the same, one gets a weight that only corrects the others.
{#- the contract's traits come first: of equals the first is named -#}
{% set effects = numeric_traits() | reverse | list + text_traits() %}
{% set least_reason = 'ln(1.1)' %}
{% set ranks = ['first', 'second', 'third'] %}

with

traits as (
    select
        cutoff,
        customer_id,
        relationship,
        {% for trait in effects %}
        {{ trait }},
        {% endfor %}
        case
            when relationship = 'contractual' and not has_running_contract
                then 'no running contract'
            -- a purchase is worth more than nothing: who has none has no mean
            when relationship = 'noncontractual' and mean_purchase_amount = 0
                then 'no purchase yet'
        end as undue_reason
    from {{ ref('int_customer_traits') }}
    where cutoff in ('train', 'live')
),

learned as (
    select
        case cutoff when 'test' then 'train' else 'live' end as cutoff,
        relationship,
        churn_learner,
        churn_term,
        term_level,
        is_logarithm,
        term_mean,
        term_standard_deviation,
        decision_coefficient,
        own_correlation,
        calibration_slope,
        calibration_intercept,
        is_winner
    from {{ ref('ml_churn_model') }}
    where cutoff = 'test' or is_winner
),

words as (
    select
        trait,
        trait_label,
        above_words,
        below_words
    from {{ ref('trait_words') }}
),

lines as (
    {{ churn_lines('learned') }}
),

levels as (
    select
        cutoff,
        relationship,
        churn_learner,
        churn_term,
        term_level,
        calibration_slope * decision_coefficient as level_slope,
        case when own_correlation > 0 then 1 else 0 end as is_telling
    from learned
    where term_level is not null
),

-- a trait that adds to the risk lies above the average if its coefficient is positive
reasons as (
    select
        learned.cutoff,
        learned.relationship,
        learned.churn_learner,
        learned.churn_term,
        max(
            case
                when learned.term_level is not null then words.trait_label || ': '
                when learned.decision_coefficient > 0 then words.above_words
                else words.below_words
            end
        ) as reason
    from learned
    inner join words on learned.churn_term = words.trait
    group by
        learned.cutoff,
        learned.relationship,
        learned.churn_learner,
        learned.churn_term
),

added as {{ inlined() }} (
    select
        traits.cutoff,
        traits.customer_id,
        traits.relationship,
        {% for trait in text_traits() %}
        traits.{{ trait }},
        {% endfor %}
        lines.churn_learner,
        lines.is_winner,
        lines.base_log_odds,
        {% for trait in numeric_traits() %}
        lines.{{ trait }}_slope * {{ standardised_trait(
            'traits.' ~ trait, 'lines.' ~ trait ~ '_logarithm = 1',
            'lines.' ~ trait ~ '_mean', 'lines.' ~ trait ~ '_standard_deviation'
        ) }} as {{ trait }}_effect,
        lines.{{ trait }}_telling,
        {% endfor %}
        {% for trait in text_traits() %}
        coalesce({{ trait }}_levels.level_slope, 0) - lines.{{ trait }}_average
            as {{ trait }}_effect,
        coalesce({{ trait }}_levels.is_telling, 0) as {{ trait }}_telling,
        {% endfor %}
        coalesce(
            traits.undue_reason,
            case when lines.churn_learner is null then 'nothing learned' end
        ) as not_scored_reason
    from traits
    left join lines
        on
            traits.cutoff = lines.cutoff
            and traits.relationship = lines.relationship
            and traits.undue_reason is null
    {% for trait in text_traits() %}
    left join levels as {{ trait }}_levels
        on
            lines.cutoff = {{ trait }}_levels.cutoff
            and lines.relationship = {{ trait }}_levels.relationship
            and lines.churn_learner = {{ trait }}_levels.churn_learner
            and {{ trait }}_levels.churn_term = '{{ trait }}'
            and traits.{{ trait }} = {{ trait }}_levels.term_level
    {% endfor %}
),

-- sums of decimals are the same in any order of rows
means as (
    select
        cutoff,
        relationship,
        {% for trait in effects %}
        {{ ratio(
            'sum(cast(' ~ trait ~ '_effect as decimal(38, 12)))', 'count(*)'
        ) }} as {{ trait }}_mean,
        {% endfor %}
        churn_learner
    from added
    where churn_learner is not null
    group by cutoff, relationship, churn_learner
),

summed as (
    select
        added.cutoff,
        added.customer_id,
        added.relationship,
        {% for trait in text_traits() %}
        added.{{ trait }},
        {% endfor %}
        added.churn_learner,
        added.base_log_odds
        {% for trait in effects %}
        + added.{{ trait }}_effect
        {% endfor %}
            as log_odds,
        {% for trait in effects %}
        case
            when added.{{ trait }}_telling = 1
                then added.{{ trait }}_effect - means.{{ trait }}_mean
            else 0
        end as {{ trait }}_effect,
        {% endfor %}
        added.not_scored_reason,
        added.is_winner
    from added
    left join means
        on
            added.cutoff = means.cutoff
            and added.relationship = means.relationship
            and added.churn_learner = means.churn_learner
),

{#- three rounds: find the largest effect, name its trait, leave it out -#}
{% set kept = text_traits() + [
    'cutoff', 'customer_id', 'relationship', 'churn_learner', 'log_odds',
    'not_scored_reason', 'is_winner',
] %}
{% for rank in ranks %}
{{ rank }}_sought as (
    select
        {% for column in kept %}
        {{ column }},
        {% endfor %}
        {% for earlier in ranks[:loop.index0] %}
        {{ earlier }}_term,
        {% endfor %}
        {% for trait in effects %}
        {{ trait }}_effect,
        {% endfor %}
        greatest(
            0,
            {% for trait in effects %}
            {{ trait }}_effect{{ ',' if not loop.last }}
            {% endfor %}
        ) as largest_effect
    from {{ 'summed' if loop.first else ranks[loop.index0 - 1] ~ '_left_out' }}
),

{{ rank }}_named as (
    select
        {{ rank }}_sought.*,
        case
            when {{ rank }}_sought.largest_effect < {{ least_reason }} then null
            {% for trait in effects %}
            when {{ rank }}_sought.{{ trait }}_effect = {{ rank }}_sought.largest_effect
                then '{{ trait }}'
            {% endfor %}
        end as {{ rank }}_term
    from {{ rank }}_sought
),

{{ rank }}_left_out as (
    select
        {% for column in kept %}
        {{ column }},
        {% endfor %}
        {% for trait in effects %}
        case when {{ rank }}_term = '{{ trait }}' then 0 else {{ trait }}_effect end
            as {{ trait }}_effect,
        {% endfor %}
        {% for earlier in ranks[:loop.index0] %}
        {{ earlier }}_term,
        {% endfor %}
        {{ rank }}_term
    from {{ rank }}_named
),

{% endfor %}
final as (
    select
        third_left_out.cutoff,
        third_left_out.customer_id,
        third_left_out.relationship,
        third_left_out.churn_learner,
        {{ logistic('third_left_out.log_odds') }} as churn_probability_rate,
        {% for rank in ranks %}
        {{ rank }}_reasons.reason || case third_left_out.{{ rank }}_term
            {% for trait in text_traits() %}
            when '{{ trait }}' then third_left_out.{{ trait }}
            {% endfor %}
            else ''
        end as churn_reason_{{ loop.index }},
        {% endfor %}
        third_left_out.not_scored_reason,
        third_left_out.is_winner
    from third_left_out
    {% for rank in ranks %}
    left join reasons as {{ rank }}_reasons
        on
            third_left_out.cutoff = {{ rank }}_reasons.cutoff
            and third_left_out.relationship = {{ rank }}_reasons.relationship
            and third_left_out.churn_learner = {{ rank }}_reasons.churn_learner
            and third_left_out.{{ rank }}_term = {{ rank }}_reasons.churn_term
    {% endfor %}
)

select * from final
