-- What running contracts may still bring. Who has been renewed often is likely to be
-- renewed again, so the residual depends on the renewals survived alone, and is worked
-- out once for each number of them.
-- The fee of the running month is paid. The next is due at the next renewal if there is
-- one, taken to be a month from now, then month by month until the horizon: each is
-- weighed with the share of such contracts that gets there and discounted to today.
-- The interval says how well the two parameters are known: the value is worked out
-- again with draws that stand for their distribution; its logarithm is taken as normal.
{% set rate = setting_number('discount_rate_annual', minimum=0, maximum=10) %}
{% set months = setting_number('value_horizon_months', minimum=1, whole=true) %}
-- quantiles of the normal distribution for 80 and 95 %
{% set z_80 = 1.2815515655446004 %}
{% set z_95 = 1.959963984540054 %}

with

contracts as (
    select
        customer_id,
        started_date,
        renewal_count,
        monthly_amount
    from {{ ref('int_contract_histories') }}
    where not is_ended
),

renewals as (
    select distinct renewal_count
    from contracts
),

fitted as (
    select
        alpha,
        beta,
        alpha_log_variance,
        beta_log_variance,
        alpha_beta_log_covariance
    from {{ ref('ml_contract_process') }}
),

-- the root of the covariance, times the square root of the two dimensions
spreads as (
    select
        alpha,
        beta,
        sqrt(2 * alpha_log_variance) as alpha_step,
        {{ ratio('2 * alpha_beta_log_covariance', 'sqrt(2 * alpha_log_variance)') }}
            as beta_step_with_alpha,
        sqrt(2 * greatest(
            0,
            beta_log_variance - {{ ratio(
                'alpha_beta_log_covariance * alpha_beta_log_covariance',
                'alpha_log_variance'
            ) }}
        )) as beta_step_alone
    from fitted
),

-- the estimate, and four draws whose logarithms have its covariance exactly
steps as (
    select
        signs.draw_number,
        signs.alpha_sign,
        signs.beta_sign
    from (
        values (0, 0, 0), (1, 1, 0), (2, -1, 0), (3, 0, 1), (4, 0, -1)
    ) as signs (draw_number, alpha_sign, beta_sign)
),

draws as (
    select
        steps.draw_number,
        spreads.alpha * exp(steps.alpha_sign * spreads.alpha_step) as alpha,
        spreads.beta * exp(
            steps.alpha_sign * spreads.beta_step_with_alpha
            + steps.beta_sign * spreads.beta_step_alone
        ) as beta
    from spreads
    cross join steps
),

months as (
    select n + 1 as period_number
    from {{ numbers(months) }}
),

-- of the contracts that have survived so many renewals, the share there in each month
survival as (
    select
        renewals.renewal_count,
        draws.draw_number,
        months.period_number,
        {{ sbg_retention_rate('draws.alpha', 'draws.beta', 'renewals.renewal_count') }}
            as next_renewal_rate,
        {{ sbg_survival_rate(
            'draws.alpha', 'draws.beta', 'renewals.renewal_count',
            'months.period_number', ['renewals.renewal_count', 'draws.draw_number']
        ) }} as survival_rate
    from renewals
    cross join draws
    cross join months
),

-- sums of decimals are exact: the same in any order of rows
summed as (
    select
        renewal_count,
        draw_number,
        max(next_renewal_rate) as next_renewal_rate,
        cast(
            sum(cast(survival_rate as decimal(38, 18))) as {{ type_double() }}
        ) as expected_months,
        {{ discounted_sum_over_periods(1, rate, 'period_number', 'survival_rate') }}
            as multiple
    from survival
    group by renewal_count, draw_number
),

estimates as (
    select
        renewal_count,
        next_renewal_rate,
        expected_months,
        multiple
    from summed
    where draw_number = 0
),

logarithms as (
    select
        renewal_count,
        cast(
            avg(cast(ln(multiple) as decimal(38, 18))) as {{ type_double() }}
        ) as log_mean,
        cast(
            avg(cast(power(ln(multiple), 2) as decimal(38, 18))) as {{ type_double() }}
        ) as log_square_mean
    from summed
    where draw_number > 0
    group by renewal_count
),

uncertainties as (
    select
        renewal_count,
        sqrt(greatest(0, log_square_mean - log_mean * log_mean)) as log_deviation
    from logarithms
),

-- no more than if everyone stayed
multiples as (
    select
        estimates.renewal_count,
        estimates.next_renewal_rate,
        estimates.expected_months,
        estimates.multiple,
        estimates.multiple * exp(-{{ z_80 }} * uncertainties.log_deviation)
            as lower_80,
        least(
            estimates.multiple * exp({{ z_80 }} * uncertainties.log_deviation),
            {{ annuity_factor(rate, months) }}
        ) as upper_80,
        estimates.multiple * exp(-{{ z_95 }} * uncertainties.log_deviation)
            as lower_95,
        least(
            estimates.multiple * exp({{ z_95 }} * uncertainties.log_deviation),
            {{ annuity_factor(rate, months) }}
        ) as upper_95
    from estimates
    inner join uncertainties on estimates.renewal_count = uncertainties.renewal_count
),

-- no multiple where there are too few contracts to learn from; a fee below 0 turns the
-- bounds round
final as (
    select
        contracts.customer_id,
        contracts.started_date,
        contracts.renewal_count,
        contracts.monthly_amount,
        multiples.next_renewal_rate,
        multiples.expected_months as expected_further_months,
        {{ money('contracts.monthly_amount * multiples.multiple') }}
            as contract_value_amount,
        {{ money(
            'least(contracts.monthly_amount * multiples.lower_80, '
            ~ 'contracts.monthly_amount * multiples.upper_80)'
        ) }} as contract_value_80_lower_amount,
        {{ money(
            'greatest(contracts.monthly_amount * multiples.lower_80, '
            ~ 'contracts.monthly_amount * multiples.upper_80)'
        ) }} as contract_value_80_upper_amount,
        {{ money(
            'least(contracts.monthly_amount * multiples.lower_95, '
            ~ 'contracts.monthly_amount * multiples.upper_95)'
        ) }} as contract_value_95_lower_amount,
        {{ money(
            'greatest(contracts.monthly_amount * multiples.lower_95, '
            ~ 'contracts.monthly_amount * multiples.upper_95)'
        ) }} as contract_value_95_upper_amount
    from contracts
    left join multiples on contracts.renewal_count = multiples.renewal_count
)

select * from final
