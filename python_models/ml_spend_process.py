"""Fit the Gamma-Gamma model to what customers spend per purchase."""

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
    from scipy.special import digamma, gammaln

# Fewer customers who bought again say nothing of how much spending differs.
MINIMUM_REPEATERS = 10
# Where the search starts and the centre of the weak prior: p, q, v, with mean spend 1.
CENTRE = (5.0, 4.0, 0.6)
PRIOR_SPREAD = 1.5
# the search is for log p, log (q - 1) and log v
OFFSET = np.array([0.0, 1.0, 0.0])
# beyond so many customers it starts from what some of them say
MANY_CUSTOMERS = 10_000
# Where nothing tells customers apart, parameters have no end: the more customers, the
# more priors it takes to stop them.
PRIOR_WEIGHTS = (0, 1, 10, 100, 1_000, 10_000, 100_000)

COLUMNS = (
    {"cutoff": "string", "customer_count": "int64"}
    | {name: "float64" for name in ("p", "q", "v")}
    | {f"{name}_standard_error": "float64" for name in ("p", "q", "v")}
    | {
        name: "float64"
        for name in (
            "p_log_variance",
            "q_log_variance",
            "v_log_variance",
            "p_q_log_covariance",
            "p_v_log_covariance",
            "q_v_log_covariance",
            "log_likelihood",
            "gradient_norm",
            "frequency_spend_correlation",
        )
    }
    | {"is_regularised": "bool"}
)


@dataclass
class Fit:
    """What was learned of spending.

    `parameters` are p, q, v; `covariance` is that of their logarithms, shape (3, 3).
    """

    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    gradient_norm: float
    is_converged: bool
    is_regularised: bool

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard error of p, q and v, by the delta method."""
        return self.parameters * np.sqrt(np.diag(self.covariance))


def log_likelihood(
    parameters: np.ndarray, frequency: np.ndarray, mean_spend: np.ndarray
) -> tuple[float, np.ndarray]:
    """Log-likelihood of the Gamma-Gamma model, and its gradient.

    Parameters
    ----------
    parameters : array of float, shape (3,)
        p, q, v; v in the unit of the spend.
    frequency : array of float, shape (n,)
        Purchases that the mean is of, from 1.
    mean_spend : array of float, shape (n,)
        Mean spend per purchase, above 0.

    Returns
    -------
    tuple of (float, array of shape (3,))
        The sum over customers, and its derivative by p, q and v.

    Notes
    -----
    Fader & Hardie 2013, The Gamma-Gamma model of monetary value (note 025), equation
    1a.
    """
    p, q, v = parameters
    total = frequency * mean_spend
    shape = p * frequency + q
    log_rate = np.log(v + total)
    value = (
        gammaln(shape)
        - gammaln(p * frequency)
        - gammaln(q)
        + q * np.log(v)
        + (p * frequency - 1) * np.log(mean_spend)
        + p * frequency * np.log(frequency)
        - shape * log_rate
    )
    by_shape = digamma(shape) - log_rate
    gradient = np.array(
        [
            frequency @ (by_shape - digamma(p * frequency) + np.log(total)),
            np.sum(by_shape - digamma(q) + np.log(v)),
            np.sum(q / v - shape / (v + total)),
        ]
    )
    return float(value.sum()), gradient


def fit(frequency, mean_spend) -> Fit:
    """Fit the Gamma-Gamma model by maximum likelihood, with q above 1.

    Without q > 1 spending would have no mean. Where the data leave a parameter open
    (equal spends, for one), a weak log-normal prior decides, and `is_regularised` says
    so.

    Parameters
    ----------
    frequency, mean_spend : array of float, shape (n,)
        As of `log_likelihood`.

    Returns
    -------
    Fit
        In the unit of the spend.

    Raises
    ------
    ValueError
        If a frequency or a spend is not above 0.
    """
    frequency = np.asarray(frequency, dtype=float)
    mean_spend = np.asarray(mean_spend, dtype=float)
    if not ((frequency > 0).all() and (mean_spend > 0).all()):
        raise ValueError("Frequency and mean spend must be above 0.")
    unit = mean_spend.mean()
    scaled = mean_spend / unit
    start, weight = np.log(np.array(CENTRE) - OFFSET), 0
    if len(frequency) > MANY_CUSTOMERS:
        # a rough answer from some of the customers is the start of the search on all
        some = slice(None, None, len(frequency) // MANY_CUSTOMERS + 1)
        found, weight = _settle(frequency[some], scaled[some], start, 0)
        start = np.log(found.parameters - OFFSET)
    found, _ = _settle(frequency, scaled, start, weight)
    found.parameters = found.parameters * [1, 1, unit]
    found.log_likelihood -= len(frequency) * np.log(unit)
    return found


def _settle(frequency, mean_spend, start, first_weight: int) -> tuple[Fit, int]:
    """Search with as little of the prior as it takes; spend scaled to mean 1."""
    for weight in [weight for weight in PRIOR_WEIGHTS if weight >= first_weight]:
        found = _search(frequency, mean_spend, start, weight)
        if found.is_converged and np.diag(found.covariance).max() <= 9:
            break
        start = np.log(np.array(CENTRE) - OFFSET)
    return found, weight


def _search(frequency, mean_spend, start, prior_weight: float) -> Fit:
    centre = np.log(np.array(CENTRE) - OFFSET)
    customers = len(frequency)

    def loss(point):
        value, gradient = log_likelihood(np.exp(point) + OFFSET, frequency, mean_spend)
        away = (point - centre) / PRIOR_SPREAD
        return (
            -(value - prior_weight * away @ away / 2) / customers,
            -(gradient * np.exp(point) - prior_weight * away / PRIOR_SPREAD)
            / customers,
        )

    result = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12, 12)] * 3,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 20},
    )
    step = 1e-4
    hessian = np.array(
        [
            (loss(result.x + shift)[1] - loss(result.x - shift)[1]) / (2 * step)
            for shift in step * np.eye(3)
        ]
    )
    hessian = (hessian + hessian.T) / 2
    # what is left beyond nine decimals is rounding
    gradient_norm = round(float(np.abs(loss(result.x)[1]).max()), 9)
    is_converged = bool(
        np.abs(result.x).max() < 11.5
        and np.linalg.eigvalsh(hessian).min() > 0
        and gradient_norm < 1e-4
    )
    parameters = np.exp(result.x) + OFFSET
    # from the logarithms searched for to those of p, q and v
    to_logarithms = np.diag(np.exp(result.x) / parameters)
    covariance = (
        to_logarithms @ np.linalg.inv(hessian * customers) @ to_logarithms
        if is_converged
        else np.full((3, 3), np.nan)
    )
    return Fit(
        parameters=parameters,
        covariance=covariance,
        log_likelihood=log_likelihood(parameters, frequency, mean_spend)[0],
        gradient_norm=gradient_norm,
        is_converged=is_converged,
        is_regularised=prior_weight > 0,
    )


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


def learn(spends: pd.DataFrame) -> pd.DataFrame:
    """Fit the spend of each cutoff.

    Parameters
    ----------
    spends : DataFrame
        cutoff, frequency, mean_repeat_amount: customers who bought again.

    Returns
    -------
    DataFrame
        A row per cutoff with at least MINIMUM_REPEATERS customers and a fit.
    """
    rows = []
    for cutoff, known in spends.sort_values(
        ["cutoff", "frequency", "mean_repeat_amount"]
    ).groupby("cutoff"):
        if len(known) < MINIMUM_REPEATERS:
            continue
        frequency = known["frequency"].to_numpy(dtype=float)
        spend = known["mean_repeat_amount"].to_numpy(dtype=float)
        fitted = fit(frequency, spend)
        if not fitted.is_converged:
            continue
        # NaN where all are equal
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = np.corrcoef(frequency, np.log(spend))[0, 1]
        covariance = fitted.covariance
        rows.append(
            {"cutoff": cutoff, "customer_count": len(known)}
            | dict(zip("pqv", fitted.parameters, strict=True))
            | {
                f"{name}_standard_error": error
                for name, error in zip("pqv", fitted.standard_errors, strict=True)
            }
            | {
                "p_log_variance": covariance[0, 0],
                "q_log_variance": covariance[1, 1],
                "v_log_variance": covariance[2, 2],
                "p_q_log_covariance": covariance[0, 1],
                "p_v_log_covariance": covariance[0, 2],
                "q_v_log_covariance": covariance[1, 2],
                "log_likelihood": fitted.log_likelihood,
                "gradient_norm": fitted.gradient_norm,
                "frequency_spend_correlation": correlation,
                "is_regularised": fitted.is_regularised,
            }
        )
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Fit the spend process to what customers spent by each cutoff."""
    spends = in_pandas(dbt.ref("int_spend_sample"))
    with LEARNING, threadpool_limits(limits=1):
        learned = learn(spends)
    return learned
