"""Fit the shifted beta geometric model to how many renewals contracts survived.

A contract survives renewals until one at which its customer leaves; the probability of
leaving is the customer's own and stays the same. Contracts with the same number of
renewals survived, ended or still running, are one row with a count.
"""

import threading
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())
with LEARNING:
    from scipy.optimize import minimize
    from scipy.special import betaln, digamma

# Fewer contracts that came to a renewal say nothing of how many are renewed.
MINIMUM_CONTRACTS = 10
# Where the search starts and the centre of the weak prior: alpha, beta. The prior's
# spread is that of the logarithms. Where nothing tells customers apart, alpha and beta
# have no end: the more customers, the more priors it takes to stop them.
CENTRE = (1.0, 4.0)
PRIOR_SPREAD = 1.5
PRIOR_WEIGHTS = (0, 1, 10, 100, 1_000, 10_000, 100_000)

# string and not object: an empty table needs the type too
COLUMNS = (
    {"cutoff": "string", "contract_count": "int64", "ended_contract_count": "int64"}
    | {name: "float64" for name in ("alpha", "beta")}
    | {f"{name}_standard_error": "float64" for name in ("alpha", "beta")}
    | {
        name: "float64"
        for name in (
            "alpha_log_variance",
            "beta_log_variance",
            "alpha_beta_log_covariance",
            "log_likelihood",
            "gradient_norm",
        )
    }
    | {"is_regularised": "bool"}
)


@dataclass
class Fit:
    """What was learned of contracts.

    `parameters` are alpha, beta; `covariance` is that of their logarithms, shape
    (2, 2).
    """

    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    gradient_norm: float
    is_converged: bool
    is_regularised: bool

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard error of alpha and beta, by the delta method."""
        return self.parameters * np.sqrt(np.diag(self.covariance))


def log_likelihood(
    parameters: np.ndarray,
    renewals: np.ndarray,
    is_ended: np.ndarray,
    count: np.ndarray,
) -> tuple[float, np.ndarray]:
    """Log-likelihood of the shifted beta geometric model, and its gradient.

    Parameters
    ----------
    parameters : array of float, shape (2,)
        alpha, beta: of the beta distribution of the probability to leave at a renewal.
    renewals : array of float, shape (n,)
        Renewals survived.
    is_ended : array of bool, shape (n,)
        Whether the customer left at the next renewal; else the contract still runs.
    count : array of float, shape (n,)
        Contracts of that kind.

    Returns
    -------
    tuple of (float, array of shape (2,))
        The sum over contracts, and its derivative by alpha and beta.

    Notes
    -----
    Fader & Hardie 2007, How to project customer retention (Journal of Interactive
    Marketing 21(1)): who left at renewal t = n + 1 has probability
    B(alpha + 1, beta + t - 1) / B(alpha, beta), who survived n of them
    S(n) = B(alpha, beta + n) / B(alpha, beta).
    """
    alpha, beta = parameters
    left = alpha + is_ended
    stayed = beta + renewals
    value = count @ (betaln(left, stayed) - betaln(alpha, beta))
    by_total = digamma(alpha + beta) - digamma(left + stayed)
    gradient = np.array(
        [
            count @ (digamma(left) - digamma(alpha) + by_total),
            count @ (digamma(stayed) - digamma(beta) + by_total),
        ]
    )
    return float(value), gradient


def fit(renewals, is_ended, count) -> Fit:
    """Fit the shifted beta geometric model by maximum likelihood.

    Where the data leave a parameter open (no contract ended, none came to a second
    renewal, or retention falls with time, as no mixture of customers makes it), a weak
    log-normal prior decides, and `is_regularised` says so.

    Parameters
    ----------
    renewals, is_ended, count : array, shape (n,)
        As of `log_likelihood`.

    Returns
    -------
    Fit

    Raises
    ------
    ValueError
        If a number is negative.
    """
    renewals = np.asarray(renewals, dtype=float)
    is_ended = np.asarray(is_ended, dtype=float)
    count = np.asarray(count, dtype=float)
    if (renewals < 0).any() or (count < 0).any():
        raise ValueError("Renewals survived and counts must be at least 0.")
    for weight in PRIOR_WEIGHTS:
        found = _search(renewals, is_ended, count, weight)
        if found.is_converged and np.diag(found.covariance).max() <= 9:
            break
    return found


def _search(renewals, is_ended, count, prior_weight: float) -> Fit:
    centre = np.log(CENTRE)
    contracts = max(count.sum(), 1)

    def loss(logarithms):
        parameters = np.exp(logarithms)
        value, gradient = log_likelihood(parameters, renewals, is_ended, count)
        away = (logarithms - centre) / PRIOR_SPREAD
        return (
            -(value - prior_weight * away @ away / 2) / contracts,
            -(gradient * parameters - prior_weight * away / PRIOR_SPREAD) / contracts,
        )

    result = minimize(
        loss,
        centre,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12, 12)] * 2,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 20},
    )
    point = result.x
    hessian = _hessian(loss, point)
    if np.linalg.eigvalsh(hessian).min() > 0:
        # a step of Newton's brings the last digits
        step = point - np.linalg.solve(hessian, loss(point)[1])
        if loss(step)[0] <= result.fun:
            point = step
            hessian = _hessian(loss, point)
    gradient = loss(point)[1]
    is_converged = bool(
        np.abs(point).max() < 11.5
        and np.linalg.eigvalsh(hessian).min() > 0
        # what a further step would still add to the log-likelihood
        and contracts * gradient @ np.linalg.solve(hessian, gradient) < 1e-4
    )
    parameters = np.exp(point)
    return Fit(
        parameters=parameters,
        covariance=(
            np.linalg.inv(hessian * contracts)
            if is_converged
            else np.full((2, 2), np.nan)
        ),
        log_likelihood=log_likelihood(parameters, renewals, is_ended, count)[0],
        # what is left beyond nine decimals is rounding
        gradient_norm=round(float(np.abs(gradient).max()), 9),
        is_converged=is_converged,
        is_regularised=prior_weight > 0,
    )


def _hessian(loss, point: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Second derivatives by central differences of the exact gradient."""
    hessian = np.array(
        [
            (loss(point + shift)[1] - loss(point - shift)[1]) / (2 * step)
            for shift in step * np.eye(len(point))
        ]
    )
    return (hessian + hessian.T) / 2


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        numbers = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(numbers))) - 9)
            learned[column] = np.where(
                numbers == 0, 0.0, np.round(numbers / unit) * unit
            )
    return learned


def learn(counted: pd.DataFrame) -> pd.DataFrame:
    """Fit all contracts together.

    Parameters
    ----------
    counted : DataFrame
        renewal_count, is_ended, contract_count.

    Returns
    -------
    DataFrame
        One row; none where fewer than MINIMUM_CONTRACTS contracts came to a renewal.
    """
    counted = counted.sort_values(["renewal_count", "is_ended"])
    renewals = counted["renewal_count"].to_numpy(dtype=float)
    is_ended = counted["is_ended"].to_numpy(dtype=bool)
    count = counted["contract_count"].to_numpy(dtype=float)
    rows = []
    if count[is_ended | (renewals > 0)].sum() >= MINIMUM_CONTRACTS:
        fitted = fit(renewals, is_ended, count)
        if fitted.is_converged:
            rows.append(_row(fitted, is_ended, count))
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def _row(fitted: Fit, is_ended, count) -> dict:
    alpha, beta = fitted.parameters
    alpha_error, beta_error = fitted.standard_errors
    return {
        "cutoff": "live",
        "contract_count": int(count.sum()),
        "ended_contract_count": int(count[is_ended].sum()),
        "alpha": alpha,
        "beta": beta,
        "alpha_standard_error": alpha_error,
        "beta_standard_error": beta_error,
        "alpha_log_variance": fitted.covariance[0, 0],
        "beta_log_variance": fitted.covariance[1, 1],
        "alpha_beta_log_covariance": fitted.covariance[0, 1],
        "log_likelihood": fitted.log_likelihood,
        "gradient_norm": fitted.gradient_norm,
        "is_regularised": fitted.is_regularised,
    }


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Fit the contract process to the contracts known at the live cutoff."""
    counted = in_pandas(dbt.ref("int_contract_renewals"))
    with LEARNING, threadpool_limits(limits=1):
        learned = learn(counted)
    return learned
