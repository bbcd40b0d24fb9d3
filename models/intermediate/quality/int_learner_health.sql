-- Whether clusters, churn, survival, value rules and forecasts were learned, from what,
-- and how good the fit is on what it was learned from. How well each does on a later
-- window, which it has not seen, is in the tables of marts/quality named backtest.
with

clusters as (
    select
        'customer clusters' as learned_model,
        'live' as cutoff,
        'all channels' as customer_group,
        'k_means' as process,
        max(customer_count) as learned_from_count,
        'silhouette' as quality_measure,
        max(silhouette) as quality
    from {{ ref('ml_customer_clusters') }}
    where is_chosen
),

churn as (
    select
        'churn model' as learned_model,
        cutoff,
        relationship as customer_group,
        churn_learner as process,
        max(customer_count) as learned_from_count,
        'cross-validated area under the curve' as quality_measure,
        max(cross_validated_auc) as quality
    from {{ ref('ml_churn_model') }}
    group by cutoff, relationship, churn_learner
),

survival as (
    select
        'survival model' as learned_model,
        cutoff,
        relationship as customer_group,
        'cox' as process,
        max(customer_count) as learned_from_count,
        'concordance' as quality_measure,
        max(concordance) as quality
    from {{ ref('ml_survival_model') }}
    group by cutoff, relationship
),

-- the first node of the tree has everyone who was learned from; a forest draws some
value_rules as (
    select
        'value rules' as learned_model,
        cutoff,
        'all channels' as customer_group,
        learner as process,
        max(
            max(case when learner = 'tree' then customer_count end)
        ) over (partition by cutoff) as learned_from_count,
        cast(null as {{ dbt.type_string() }}) as quality_measure,
        cast(null as {{ type_double() }}) as quality
    from {{ ref('ml_value_model') }}
    group by cutoff, learner
),

forecasts as (
    select
        'retention forecast' as learned_model,
        'live' as cutoff,
        'all channels' as customer_group,
        series_name as process,
        max(month_count) as learned_from_count,
        'mean absolute error in the last quarter' as quality_measure,
        max(mean_absolute_error) as quality
    from {{ ref('ml_retention_forecast') }}
    where is_best
    group by series_name
),

learned as (
    {% for learner in ['clusters', 'churn', 'survival', 'value_rules', 'forecasts'] %}
    select
        learned_model,
        cutoff,
        customer_group,
        process,
        learned_from_count,
        quality_measure,
        quality
    from {{ learner }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

{#- What there is to be learned, and what it takes. -#}
{% set relationships = ['noncontractual', 'contractual'] %}
{% set learners = [
    {
        'learned_model': 'customer clusters', 'cutoffs': ['live'],
        'groups': ['all channels'], 'processes': ['k_means'],
        'reason': 'fewer than 100 customers with a purchase, or no groups among them',
    },
    {
        'learned_model': 'churn model', 'cutoffs': ['test', 'train'],
        'groups': relationships, 'processes': ['logistic', 'linear_svm'],
        'reason': 'fewer than 50 customers left, or stayed, in the window after',
    },
    {
        'learned_model': 'survival model', 'cutoffs': ['train', 'live'],
        'groups': relationships, 'processes': ['cox'],
        'reason': 'fewer than 50 customers left by then',
    },
    {
        'learned_model': 'value rules', 'cutoffs': ['test', 'train'],
        'groups': ['all channels'], 'processes': ['tree', 'forest'],
        'reason': 'fewer than 200 customers, or none of them of value in the window after',
    },
    {
        'learned_model': 'retention forecast', 'cutoffs': ['live'],
        'groups': ['all channels'],
        'processes': [
            'active_customer_count', 'revenue_amount', 'monthly_retention_rate',
            'noncontractual_churn_rate', 'contractual_churn_rate',
        ],
        'reason': 'fewer than 15 complete months, or all are equal',
    },
] %}

expected as (
    {% for learner in learners %}
    {% set is_last_learner = loop.last %}
    {% for cutoff in learner.cutoffs %}
    {% set is_last_cutoff = loop.last %}
    {% for group in learner.groups %}
    {% set is_last_group = loop.last %}
    {% for process in learner.processes %}
    select
        '{{ learner.learned_model }}' as learned_model,
        '{{ cutoff }}' as cutoff,
        '{{ group }}' as customer_group,
        '{{ process }}' as process,
        'not learned yet, or {{ learner.reason }}' as reason
    {{ 'union all' if not (
        is_last_learner and is_last_cutoff and is_last_group and loop.last
    ) }}
    {% endfor %}
    {% endfor %}
    {% endfor %}
    {% endfor %}
),

final as (
    select
        expected.learned_model,
        expected.cutoff,
        expected.customer_group,
        expected.process,
        case when learned.learned_from_count is null then expected.reason end
            as not_learned_reason,
        cast(coalesce(learned.learned_from_count, 0) as bigint) as learned_from_count,
        case when learned.quality is not null then learned.quality_measure end
            as quality_measure,
        learned.quality,
        learned.learned_from_count is not null as is_fitted
    from expected
    left join learned
        on
            expected.learned_model = learned.learned_model
            and expected.cutoff = learned.cutoff
            and expected.customer_group = learned.customer_group
            and expected.process = learned.process
)

select * from final
