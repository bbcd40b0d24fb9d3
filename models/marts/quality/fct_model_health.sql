-- Whether what Python learned can be trusted, and why something was not learned.
with

final as (
    select
        learned_model,
        cutoff,
        customer_group,
        process,
        not_learned_reason,
        learned_from_count,
        log_likelihood,
        gradient_norm,
        parameter_drift,
        frequency_spend_correlation,
        r_squared,
        outside_rate,
        cast(null as {{ dbt.type_string() }}) as quality_measure,
        cast(null as {{ type_double() }}) as quality,
        is_fitted,
        is_regularised
    from {{ ref('int_process_health') }}

    union all

    select
        learned_model,
        cutoff,
        customer_group,
        process,
        not_learned_reason,
        learned_from_count,
        cast(null as {{ type_double() }}) as log_likelihood,
        cast(null as {{ type_double() }}) as gradient_norm,
        cast(null as {{ type_double() }}) as parameter_drift,
        cast(null as {{ type_double() }}) as frequency_spend_correlation,
        cast(null as {{ type_double() }}) as r_squared,
        cast(null as {{ type_double() }}) as outside_rate,
        quality_measure,
        quality,
        is_fitted,
        false as is_regularised
    from {{ ref('int_learner_health') }}
)

select * from final
