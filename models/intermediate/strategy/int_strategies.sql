-- The catalogue with the uplift that counts: what the latest experiment measured, where
-- it found a difference or its 95 % interval leaves the assumed uplift out; else what
-- the catalogue assumes. An experiment that only found nothing has not shown that there
-- is nothing.
with

catalogue as (
    select
        strategy_id,
        strategy_name,
        stage,
        value_tier,
        segment_type,
        segment,
        channel,
        offer,
        discount_rate,
        uplift_on,
        expected_uplift_rate,
        uplift_source,
        cost_per_contact_amount,
        priority
    from {{ ref('strategy_catalogue') }}
),

measured as (
    select
        strategy_id,
        uplift_on,
        measured_uplift,
        measured_uplift_lower,
        measured_uplift_upper,
        is_significant,
        experiment_id
    from {{ ref('int_strategy_uplifts') }}
),

final as (
    select
        catalogue.strategy_id,
        catalogue.strategy_name,
        catalogue.stage as for_stage,
        catalogue.value_tier as for_value_tier,
        catalogue.segment_type as for_segment_type,
        catalogue.segment as for_segment,
        catalogue.channel as contact_channel,
        catalogue.offer,
        catalogue.discount_rate,
        catalogue.uplift_on,
        coalesce(measured.measured_uplift, catalogue.expected_uplift_rate)
            as uplift,
        case
            when measured.strategy_id is not null then 'measured'
            else catalogue.uplift_source
        end as uplift_source,
        measured.experiment_id,
        catalogue.cost_per_contact_amount,
        catalogue.priority
    from catalogue
    left join measured
        on
            catalogue.strategy_id = measured.strategy_id
            and catalogue.uplift_on = measured.uplift_on
            and (
                measured.is_significant
                or catalogue.expected_uplift_rate < measured.measured_uplift_lower
                or catalogue.expected_uplift_rate > measured.measured_uplift_upper
            )
)

select * from final
