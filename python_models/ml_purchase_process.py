"""Fit the purchase processes BG/NBD, MBG/NBD and Pareto/NBD to counted histories.

A history is (frequency, recency, age): repeat purchases, age at the last purchase, and
age now, of a customer whose age is 0 at the first purchase. Customers with the same
history are one row with a count; the likelihood needs nothing else.
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
    from scipy.special import digamma, expit, gammaln

PARAMETERS = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "mbg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
}
TIME_PARAMETERS = ("alpha", "beta")

# Where the search starts, and the centre of the weak prior: time is scaled so that the
# oldest customer is 1 old. The prior's spread is that of the logarithms.
CENTRE = {
    "bg_nbd": (0.5, 0.3, 0.8, 2.5),
    "mbg_nbd": (0.5, 0.3, 0.8, 2.5),
    "pareto_nbd": (0.5, 0.3, 0.5, 0.4),
}
PRIOR_SPREAD = 1.5
# Where nothing tells customers apart, parameters have no end: the more customers, the
# more priors it takes to stop them.
PRIOR_WEIGHTS = (0, 1, 100, 10_000, 1_000_000)

# The search starts there, and where that leads nowhere, aside of it.
STARTS = ((0, 0, 0, 0), (0.7, 0, -0.7, 0.7), (-0.7, 0.7, 0.7, 0))
# Beyond so many histories it starts from what a rough picture of them says: ages in
# 1 / ROUGH_AGES of the oldest.
MANY_HISTORIES = 5_000
ROUGH_AGES = 32

# Fewer customers who bought again say nothing of how often and how long people buy.
MINIMUM_REPEATERS = 10

DAYS_A_WEEK = 7
EVERYONE = "all channels"

# Gauss-Legendre on [0, 1]. Beyond DECAY e-foldings an integrand counts for nothing.
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(20)
NODES, NODE_WEIGHTS = (NODES + 1) / 2, NODE_WEIGHTS / 2
DECAY = 30.0
# so many fit into the processor's cache with their nodes, three times as fast
HISTORIES_AT_ONCE = 1_500


class Histories:
    """Distinct purchase histories and how many customers have each.

    Parameters
    ----------
    frequency : array of int, shape (n,)
        Repeat purchases, x.
    recency, age : array of float, shape (n,)
        Age at the last purchase, t_x, and age, T, in one unit of time.
    count : array of int, shape (n,)
        Customers with that history.

    Raises
    ------
    ValueError
        If a history is impossible: recency beyond age, or negative numbers.
    """

    def __init__(self, frequency, recency, age, count) -> None:
        self.frequency = np.asarray(frequency, dtype=float)
        self.recency = np.asarray(recency, dtype=float)
        self.age = np.asarray(age, dtype=float)
        self.count = np.asarray(count, dtype=float)
        # so written, a missing number is refused, too
        if not (
            (self.frequency >= 0).all()
            and (self.recency >= 0).all()
            and (self.recency <= self.age).all()
            and (self.count >= 0).all()
        ):
            raise ValueError(
                "A history needs 0 <= recency <= age, frequency >= 0 and count >= 0."
            )
        # functions of one number alone are worked out once per distinct number
        self.frequencies, self.of_frequency = np.unique(
            self.frequency, return_inverse=True
        )
        self.recencies, self.of_recency = np.unique(self.recency, return_inverse=True)
        self.ages, self.of_age = np.unique(self.age, return_inverse=True)
        self.count_by_frequency = np.bincount(self.of_frequency, self.count)

    @property
    def customers(self) -> float:
        """How many customers there are."""
        return self.count.sum()

    @property
    def repeaters(self) -> float:
        """How many of them bought again."""
        return self.count[self.frequency > 0].sum()

    def scaled(self, factor: float) -> "Histories":
        """Express the same histories in another unit of time."""
        return Histories(
            self.frequency, self.recency * factor, self.age * factor, self.count
        )

    def rounded(self, steps: int) -> "Histories":
        """Round ages to whole steps of 1 / steps, and count equal histories anew."""
        columns = np.stack(
            [
                self.frequency,
                np.round(self.recency * steps),
                np.round(self.age * steps),
            ]
        ).astype(np.int64)
        # one number for the three, which sorts faster than rows do
        wide = int(columns.max(initial=0)) + 1
        _, first, kind = np.unique(
            (columns[0] * wide + columns[1]) * wide + columns[2],
            return_index=True,
            return_inverse=True,
        )
        frequency, recency, age = columns[:, first]
        return Histories(
            frequency, recency / steps, age / steps, np.bincount(kind, self.count)
        )


def log_likelihood(
    process: str, parameters: np.ndarray, histories: Histories
) -> tuple[float, np.ndarray]:
    """Log-likelihood of a process, and its gradient.

    Parameters
    ----------
    process : {'bg_nbd', 'mbg_nbd', 'pareto_nbd'}
    parameters : array of float, shape (4,)
        r, alpha, a, b; or r, alpha, s, beta. Time in the unit of the histories.
    histories : Histories

    Returns
    -------
    tuple of (float, array of shape (4,))
        The sum over customers, and its derivative by the logarithm of each parameter.

    Notes
    -----
    BG/NBD: Fader, Hardie & Lee 2005a (Marketing Science 24(2)), equation 6, with the
    sums taken of logarithms. MBG/NBD: Batislam, Denizel & Filiztekin 2007
    (International Journal of Research in Marketing 24(3)), where a customer may also
    leave right after the first purchase. Pareto/NBD: Schmittlein, Morrison & Colombo
    1987 (Management Science 33(1)), with the time of death integrated out numerically:
    the closed form needs a case for alpha > beta, and loses digits.
    """
    if process == "pareto_nbd":
        return _pareto_log_likelihood(parameters, histories)
    return _beta_geometric_log_likelihood(
        parameters, histories, int(process == "mbg_nbd")
    )


def _beta_geometric_log_likelihood(parameters, histories, first_may_be_last):
    r, alpha, a, b = parameters
    # occasions on which the customer could have left
    occasions = histories.frequencies + first_may_be_last
    log_age = np.log(alpha + histories.ages)[histories.of_age]
    log_recency = np.log(alpha + histories.recencies)[histories.of_recency]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds_of_leaving = np.where(
            occasions > 0, np.log(a / (b + occasions - 1)), -np.inf
        )[histories.of_frequency]
    shape = r + histories.frequency
    log_odds_dead = log_odds_of_leaving + shape * (log_age - log_recency)
    dead = expit(log_odds_dead)

    count, by_frequency = histories.count, histories.count_by_frequency
    value = by_frequency @ (
        gammaln(r + histories.frequencies)
        - gammaln(r)
        + r * np.log(alpha)
        + gammaln(b + occasions)
        - gammaln(b)
        - gammaln(a + b + occasions)
        + gammaln(a + b)
    ) + count @ (np.logaddexp(0, log_odds_dead) - shape * log_age)

    leaving = np.bincount(histories.of_frequency, count * dead)
    with np.errstate(divide="ignore"):
        per_occasion = np.where(occasions > 0, 1 / (b + occasions - 1), 0)
    by_total = digamma(a + b) - digamma(a + b + occasions)
    gradient = np.array(
        [
            by_frequency @ (digamma(r + histories.frequencies) - digamma(r))
            + count.sum() * np.log(alpha)
            - count @ ((1 - dead) * log_age + dead * log_recency),
            count.sum() * r / alpha
            - (count * shape)
            @ ((1 - dead) * np.exp(-log_age) + dead * np.exp(-log_recency)),
            by_frequency @ by_total + leaving.sum() / a,
            by_frequency @ (by_total + digamma(b + occasions) - digamma(b))
            - leaving @ per_occasion,
        ]
    )
    return float(value), gradient * parameters


def _pareto_log_likelihood(parameters, histories):
    r, alpha, s, beta = parameters
    value = histories.count_by_frequency @ (
        gammaln(r + histories.frequencies)
        - gammaln(r)
        + r * np.log(alpha)
        + s * np.log(beta)
    )
    gradient = np.array(
        [
            histories.count_by_frequency
            @ (digamma(r + histories.frequencies) - digamma(r))
            + histories.customers * np.log(alpha),
            histories.customers * r / alpha,
            histories.customers * np.log(beta),
            histories.customers * s / beta,
        ]
    )
    for start in range(0, len(histories.count), HISTORIES_AT_ONCE):
        chunk = slice(start, start + HISTORIES_AT_ONCE)
        count = histories.count[chunk]
        age = histories.age[chunk]
        shape = r + histories.frequency[chunk]
        log_age = np.log(alpha + age)
        log_beta_age = np.log(beta + age)
        log_alive = -shape * log_age - s * log_beta_age
        log_dead, moments = _death_integral(
            parameters, shape, histories.recency[chunk], age
        )
        value += count @ np.logaddexp(log_alive, log_dead)
        dead = expit(log_dead - log_alive)
        mean_log_alpha, mean_alpha, mean_log_beta, mean_beta = moments
        gradient += [
            -count @ ((1 - dead) * log_age + dead * mean_log_alpha),
            -(count * shape) @ ((1 - dead) / (alpha + age) + dead * mean_alpha),
            -count @ ((1 - dead) * log_beta_age + dead * (mean_log_beta - 1 / s)),
            -count @ ((1 - dead) * s / (beta + age) + dead * (s + 1) * mean_beta),
        ]
    return float(value), gradient * parameters


def _death_integral(parameters, shape, recency, age):
    """Logarithm of the part of the likelihood of those who died before their age.

    s * integral from recency to age of (alpha+y)^-(r+x) (beta+y)^-(s+1) dy, and the
    means of log(alpha+y), 1/(alpha+y), log(beta+y), 1/(beta+y) under the integrand,
    which are its derivatives. By Gauss-Legendre in the logarithm of y plus the smaller
    of alpha and beta: on that scale neither factor changes within less than a unit.
    """
    _, alpha, s, beta = parameters
    small, large = min(alpha, beta), max(alpha, beta)
    # the powers of the two factors
    of_small, of_large = (shape, s + 1) if alpha <= beta else (s + 1, shape)
    log_small, log_large = np.log(small + recency), np.log(large + recency)
    with np.errstate(over="ignore"):
        span = np.minimum(
            age - recency,
            np.minimum(
                (alpha + recency) * np.expm1(DECAY / shape),
                (beta + recency) * np.expm1(DECAY / (s + 1)),
            ),
        )
    reach = np.log1p(span / (small + recency))
    steps = reach[:, None] * NODES
    since_small = np.exp(log_small[:, None] + steps)
    since_large = since_small + (large - small)
    log_since_large = np.log(since_large)
    weights = NODE_WEIGHTS * np.exp(
        np.reshape(1 - of_small, (-1, 1)) * steps
        - np.reshape(of_large, (-1, 1)) * (log_since_large - log_large[:, None])
    )
    total = weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_integral = (
            np.log(s)
            + (1 - of_small) * log_small
            - of_large * log_large
            + np.log(reach)
            + np.log(total)
        )
    means = [
        log_small + np.einsum("ij,ij->i", weights, steps) / total,
        np.einsum("ij,ij->i", weights, 1 / since_small) / total,
        np.einsum("ij,ij->i", weights, log_since_large) / total,
        np.einsum("ij,ij->i", weights, 1 / since_large) / total,
    ]
    return log_integral, means if alpha <= beta else means[2:] + means[:2]


@dataclass
class Fit:
    """What was learned of a process.

    `covariance` is that of the logarithms of the parameters, shape (4, 4).
    """

    process: str
    parameters: np.ndarray
    covariance: np.ndarray
    log_likelihood: float
    gradient_norm: float
    is_converged: bool
    is_at_bound: bool
    is_regularised: bool

    @property
    def standard_errors(self) -> np.ndarray:
        """Standard error of each parameter, by the delta method."""
        return self.parameters * np.sqrt(np.diag(self.covariance))


def fit(process: str, histories: Histories) -> Fit:
    """Fit a process by maximum likelihood.

    Where the data leave a parameter open (the search ends nowhere, or a parameter is
    uncertain by more than a factor of e^3), a weak log-normal prior decides, and
    `is_regularised` says so.

    Parameters
    ----------
    process : {'bg_nbd', 'mbg_nbd', 'pareto_nbd'}
    histories : Histories

    Returns
    -------
    Fit
        In the histories' unit of time.
    """
    oldest = histories.age.max(initial=0)
    scale = 1 / oldest if oldest > 0 else 1.0
    scaled = histories.scaled(scale)
    found, weight = None, 0
    if len(scaled.count) > MANY_HISTORIES:
        # a rough answer from few histories is the start of the search on all
        found, weight = _settle(
            process, scaled.rounded(ROUGH_AGES), np.log(CENTRE[process]), 0
        )
    start = np.log(CENTRE[process] if found is None else found.parameters)
    found, _ = _settle(process, scaled, start, weight)
    is_time = np.array([name in TIME_PARAMETERS for name in PARAMETERS[process]])
    found.parameters = np.where(is_time, found.parameters / scale, found.parameters)
    found.log_likelihood += np.log(scale) * float(histories.count @ histories.frequency)
    return found


def _settle(
    process: str, histories: Histories, start: np.ndarray, first_weight: int
) -> tuple[Fit, int]:
    """Search with as little of the prior as it takes; time scaled to the oldest."""
    for weight in [weight for weight in PRIOR_WEIGHTS if weight >= first_weight]:
        for aside in STARTS:
            found = _search(process, histories, start + np.array(aside), weight)
            if found.is_converged or found.is_at_bound:
                # another start would run away as well: a prior has to stop it
                break
        if found.is_converged and np.diag(found.covariance).max() <= 9:
            break
        start = np.log(CENTRE[process])
    return found, weight


def _search(
    process: str, histories: Histories, start: np.ndarray, prior_weight: float
) -> Fit:
    centre = np.log(CENTRE[process])
    customers = max(histories.customers, 1)

    def loss(logarithms):
        value, gradient = log_likelihood(process, np.exp(logarithms), histories)
        away = (logarithms - centre) / PRIOR_SPREAD
        return (
            -(value - prior_weight * away @ away / 2) / customers,
            -(gradient - prior_weight * away / PRIOR_SPREAD) / customers,
        )

    result = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-12, 12)] * 4,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8, "maxcor": 20},
    )
    point = result.x
    hessian = _hessian(loss, point)
    if np.linalg.eigvalsh(hessian).min() > 0:
        # a step of Newton's brings the last digits
        step = point - np.linalg.solve(hessian, loss(point)[1])
        if loss(step)[0] <= result.fun + 1e-12:
            point = step
    # what is left beyond nine decimals is rounding
    gradient_norm = round(float(np.abs(loss(point)[1]).max()), 9)
    is_at_bound = bool(np.abs(point).max() > 11.5)
    is_converged = bool(
        not is_at_bound
        and np.linalg.eigvalsh(hessian).min() > 0
        and gradient_norm < 1e-4
    )
    parameters = np.exp(point)
    return Fit(
        process=process,
        parameters=parameters,
        covariance=(
            np.linalg.inv(hessian * customers)
            if is_converged
            else np.full((4, 4), np.nan)
        ),
        log_likelihood=log_likelihood(process, parameters, histories)[0],
        gradient_norm=gradient_norm,
        is_converged=is_converged,
        is_at_bound=is_at_bound,
        is_regularised=prior_weight > 0,
    )


def _hessian(loss, point: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Second derivatives by central differences of the exact gradient."""
    columns = [
        (loss(point + shift)[1] - loss(point - shift)[1]) / (2 * step)
        for shift in step * np.eye(len(point))
    ]
    hessian = np.array(columns)
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
    """Fit every process to each group of customers, and to all of them together.

    Parameters
    ----------
    counted : DataFrame
        cutoff, customer_group, frequency, recency_days, age_days, customer_count.
        The group 'all channels' has the customers of small channels; its fit is to the
        customers of every group.

    Returns
    -------
    DataFrame
        A row per cutoff, group and process: estimates with standard errors, time in
        weeks; a parameter that the process lacks is missing. Groups in which fewer
        than MINIMUM_REPEATERS bought again have no row.
    """
    keys = ["frequency", "recency_days", "age_days"]
    rows = []
    for cutoff, known in counted.groupby("cutoff"):
        everyone = known.groupby(keys, as_index=False)["customer_count"].sum()
        fits = _fits(everyone)
        rows += [{"cutoff": cutoff, "customer_group": EVERYONE} | row for row in fits]
        for name, group in known[known["customer_group"] != EVERYONE].groupby(
            "customer_group"
        ):
            # one channel may be everyone
            if group["customer_count"].sum() < everyone["customer_count"].sum():
                fits = _fits(group.sort_values(keys))
            rows += [{"cutoff": cutoff, "customer_group": name} | row for row in fits]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


ESTIMATES = {
    "r": "r",
    "alpha": "alpha_weeks",
    "a": "a",
    "b": "b",
    "s": "s",
    "beta": "beta_weeks",
}
COLUMNS = (
    {"cutoff": "string", "customer_group": "string", "process": "string"}
    | {"customer_count": "int64", "repeater_count": "int64", "history_count": "int64"}
    | {"largest_frequency": "int64", "oldest_age_days": "int64"}
    | {name: "float64" for name in ESTIMATES.values()}
    | {f"{name}_standard_error": "float64" for name in ESTIMATES.values()}
    | {"log_likelihood": "float64", "gradient_norm": "float64"}
    | {"is_regularised": "bool", "log_covariance": "object"}
)


def _fits(counted: pd.DataFrame) -> list[dict]:
    """Fit every process to one group of customers."""
    counted = counted[counted["customer_count"] > 0]
    histories = Histories(
        counted["frequency"],
        counted["recency_days"] / DAYS_A_WEEK,
        counted["age_days"] / DAYS_A_WEEK,
        counted["customer_count"],
    )
    if histories.repeaters < MINIMUM_REPEATERS:
        return []
    fits = [fit(process, histories) for process in PARAMETERS]
    return [_row(fitted, histories) for fitted in fits if fitted.is_converged]


def _row(fitted: Fit, histories: Histories) -> dict:
    names = [ESTIMATES[name] for name in PARAMETERS[fitted.process]]
    return (
        {
            "process": fitted.process,
            "customer_count": int(histories.customers),
            "repeater_count": int(histories.repeaters),
            "history_count": len(histories.count),
            "largest_frequency": int(histories.frequencies[-1]),
            "oldest_age_days": round(histories.ages[-1] * DAYS_A_WEEK),
        }
        | dict(zip(names, fitted.parameters, strict=True))
        | {
            f"{name}_standard_error": error
            for name, error in zip(names, fitted.standard_errors, strict=True)
        }
        | {
            "log_likelihood": fitted.log_likelihood,
            "gradient_norm": fitted.gradient_norm,
            "is_regularised": fitted.is_regularised,
            "log_covariance": [
                float(f"{number:.10g}") for number in fitted.covariance.ravel()
            ],
        }
    )


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Fit the purchase processes to the histories of each cutoff and group."""
    counted = in_pandas(dbt.ref("int_purchase_histories"))
    # the arrays are small: threads cost more than they give
    with LEARNING, threadpool_limits(limits=1):
        learned = learn(counted)
    return learned
