-- Whether the processes can be trusted, and why one was not learned. Drift
-- is the largest change of a parameter since the cutoff before, in standard errors of
-- the two estimates together: customers of the earlier one are in both, so that 2 is a
-- change already. Customers outside are those at the live cutoff who bought more often,
-- or are older, than anyone the fit has seen.
with

histories as {{ inlined() }} (
    select
        cutoff,
        customer_group,
        frequency,
        age_days,
        customer_count
    from {{ ref('int_purchase_histories') }}
),

processes as (
    select
        cutoff,
        customer_group,
        process,
        largest_frequency,
        oldest_age_days,
        r,
        alpha_weeks,
        coalesce(a, s) as third,
        coalesce(b, beta_weeks) as fourth,
        r_standard_error,
        alpha_weeks_standard_error,
        coalesce(a_standard_error, s_standard_error) as third_standard_error,
        coalesce(b_standard_error, beta_weeks_standard_error)
            as fourth_standard_error,
        log_likelihood,
        gradient_norm,
        is_regularised
    from {{ ref('ml_purchase_process') }}
),

spends as (
    select
        cutoff,
        customer_count,
        log_likelihood,
        gradient_norm,
        frequency_spend_correlation,
        is_regularised,
        p,
        q,
        v,
        p_standard_error,
        q_standard_error,
        v_standard_error
    from {{ ref('ml_spend_process') }}
),

contracts as (
    select
        cutoff,
        contract_count,
        log_likelihood,
        gradient_norm,
        is_regularised
    from {{ ref('ml_contract_process') }}
),

regressions as (
    select
        customer_count,
        r_squared
    from {{ ref('ml_value_regression') }}
    where cutoff = 'test' and target = 'purchases' and term = 'intercept'
),

process_names as (
    select 'bg_nbd' as process
    union all
    select 'mbg_nbd' as process
    union all
    select 'pareto_nbd' as process
),

-- the fit to all channels is to the customers of every group
seen as (
    select
        cutoff,
        customer_group,
        sum(customer_count) as customer_count,
        sum(case when frequency > 0 then customer_count else 0 end)
            as repeater_count
    from histories
    where customer_group != 'all channels'
    group by cutoff, customer_group

    union all

    select
        cutoff,
        'all channels' as customer_group,
        sum(customer_count) as customer_count,
        sum(case when frequency > 0 then customer_count else 0 end)
            as repeater_count
    from histories
    group by cutoff
),

living as (
    select
        customer_group,
        frequency,
        age_days,
        sum(customer_count) as customer_count
    from histories
    where cutoff = 'live'
    group by customer_group, frequency, age_days
),

outside as (
    select
        processes.cutoff,
        processes.customer_group,
        processes.process,
        {{ ratio(
            'sum(case when living.frequency > processes.largest_frequency'
            ~ ' or living.age_days > processes.oldest_age_days'
            ~ ' then living.customer_count else 0 end)',
            'sum(living.customer_count)'
        ) }} as outside_rate
    from processes
    inner join living
        on
            processes.customer_group = living.customer_group
            or processes.customer_group = 'all channels'
    group by processes.cutoff, processes.customer_group, processes.process
),

{% set parameters = ['r', 'alpha_weeks', 'third', 'fourth'] %}

drifts as (
    select
        later.cutoff,
        later.customer_group,
        later.process,
        greatest(
            {% for parameter in parameters %}
            abs({{ ratio(
                'later.' ~ parameter ~ ' - earlier.' ~ parameter,
                'sqrt(power(later.' ~ parameter ~ '_standard_error, 2)'
                ~ ' + power(earlier.' ~ parameter ~ '_standard_error, 2))'
            ) }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as parameter_drift
    from processes as later
    inner join processes as earlier
        on
            later.customer_group = earlier.customer_group
            and later.process = earlier.process
            and (
                (later.cutoff = 'live' and earlier.cutoff = 'train')
                or (later.cutoff = 'train' and earlier.cutoff = 'test')
            )
),

spend_drifts as (
    select
        later.cutoff,
        greatest(
            {% for parameter in ['p', 'q', 'v'] %}
            abs({{ ratio(
                'later.' ~ parameter ~ ' - earlier.' ~ parameter,
                'sqrt(power(later.' ~ parameter ~ '_standard_error, 2)'
                ~ ' + power(earlier.' ~ parameter ~ '_standard_error, 2))'
            ) }}){{ ',' if not loop.last }}
            {% endfor %}
        ) as parameter_drift
    from spends as later
    inner join spends as earlier
        on
            (later.cutoff = 'live' and earlier.cutoff = 'train')
            or (later.cutoff = 'train' and earlier.cutoff = 'test')
),

reasons as (
    select
        'purchase process' as learned_model,
        seen.cutoff,
        seen.customer_group,
        process_names.process,
        seen.customer_count as learned_from_count,
        case
            when processes.r is not null then null
            when seen.repeater_count < 10
                then 'fewer than 10 customers bought again'
            else 'not learned yet, or no most likely parameters were found'
        end as not_learned_reason,
        processes.log_likelihood,
        processes.gradient_norm,
        drifts.parameter_drift,
        cast(null as {{ type_double() }}) as frequency_spend_correlation,
        cast(null as {{ type_double() }}) as r_squared,
        outside.outside_rate,
        processes.is_regularised
    from seen
    cross join process_names
    left join processes
        on
            seen.cutoff = processes.cutoff
            and seen.customer_group = processes.customer_group
            and process_names.process = processes.process
    left join drifts
        on
            seen.cutoff = drifts.cutoff
            and seen.customer_group = drifts.customer_group
            and process_names.process = drifts.process
    left join outside
        on
            seen.cutoff = outside.cutoff
            and seen.customer_group = outside.customer_group
            and process_names.process = outside.process

    union all

    select
        'spend process' as learned_model,
        seen.cutoff,
        seen.customer_group,
        'gamma_gamma' as process,
        coalesce(spends.customer_count, seen.repeater_count) as learned_from_count,
        case
            when spends.p is not null then null
            when seen.repeater_count < 10
                then 'fewer than 10 customers bought again'
            else 'not learned yet, or no most likely parameters were found'
        end as not_learned_reason,
        spends.log_likelihood,
        spends.gradient_norm,
        spend_drifts.parameter_drift,
        spends.frequency_spend_correlation,
        null as r_squared,
        null as outside_rate,
        spends.is_regularised
    from seen
    left join spends on seen.cutoff = spends.cutoff
    left join spend_drifts on seen.cutoff = spend_drifts.cutoff
    where seen.customer_group = 'all channels'

    union all

    select
        'contract process' as learned_model,
        'live' as cutoff,
        'all channels' as customer_group,
        'sbg' as process,
        coalesce(max(contract_count), 0) as learned_from_count,
        case
            when count(*) = 0
                then 'fewer than 10 contracts came to a renewal, or no fit was found'
        end as not_learned_reason,
        max(log_likelihood) as log_likelihood,
        max(gradient_norm) as gradient_norm,
        null as parameter_drift,
        null as frequency_spend_correlation,
        null as r_squared,
        null as outside_rate,
        max(case when is_regularised then 1 else 0 end) = 1 as is_regularised
    from contracts

    union all

    select
        'value regression' as learned_model,
        'test' as cutoff,
        'all channels' as customer_group,
        'least_squares' as process,
        coalesce(max(customer_count), 0) as learned_from_count,
        case
            when count(*) = 0
                then 'too few customers were known at the test cutoff'
        end as not_learned_reason,
        null as log_likelihood,
        null as gradient_norm,
        null as parameter_drift,
        null as frequency_spend_correlation,
        max(r_squared) as r_squared,
        null as outside_rate,
        null as is_regularised
    from regressions
),

final as (
    select
        learned_model,
        cutoff,
        customer_group,
        process,
        not_learned_reason,
        cast(learned_from_count as bigint) as learned_from_count,
        log_likelihood,
        gradient_norm,
        parameter_drift,
        frequency_spend_correlation,
        r_squared,
        outside_rate,
        not_learned_reason is null as is_fitted,
        coalesce(is_regularised, false) as is_regularised
    from reasons
)

select * from final
