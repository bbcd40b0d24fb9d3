"""What the tests of the purchase processes compare with.

CDNOW's histories from the package that carries the data, and the processes' formulae
as their papers derive them: integrals over what differs between customers, in place of
the closed forms under test.
"""

import importlib.util
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.special import betaln, expit, gammaln, logsumexp, xlogy

PROCESSES = ("bg_nbd", "mbg_nbd", "pareto_nbd")

CALIBRATION_END = pd.Timestamp("1997-09-30")
HOLDOUT_WEEKS = 39


@cache
def cdnow_days(name: str) -> pd.DataFrame:
    """One row per customer and day of purchase: customer, date, dollars.

    `name` is 'sample' or 'master'. Zero amounts are purchases here, as in the
    literature.
    """
    folder = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
    columns = ["customer", "date", "cds", "dollars"]
    rows = pd.read_csv(
        folder / f"CDNOW_{name}.txt",
        sep=r"\s+",
        header=None,
        skiprows=int(name == "master"),
        names=columns if name == "master" else ["master", *columns],
    )
    rows["date"] = pd.to_datetime(rows["date"].astype(str), format="%Y%m%d")
    return rows.groupby(["customer", "date"], as_index=False)["dollars"].sum()


@cache
def cdnow(name: str) -> pd.DataFrame:
    """One row per customer, in the order of their numbers, as of 1997-09-30.

    frequency, recency_days, age_days, mean_spend (of repeat purchases; missing without
    any) and holdout_purchases (of the 39 weeks after).
    """
    days = cdnow_days(name)
    known = days[days["date"] <= CALIBRATION_END]
    later = days[days["date"] > CALIBRATION_END]
    by_customer = known.groupby("customer")["date"]
    first, last = by_customer.min(), by_customer.max()
    repeats = known[known["date"] > known["customer"].map(first)]
    return pd.DataFrame(
        {
            "frequency": by_customer.size() - 1,
            "recency_days": (last - first).dt.days,
            "age_days": (CALIBRATION_END - first).dt.days,
            "mean_spend": repeats.groupby("customer")["dollars"].mean(),
            "holdout_purchases": later.groupby("customer").size(),
        }
    ).fillna({"holdout_purchases": 0})


def counted(customers: pd.DataFrame) -> pd.DataFrame:
    """Distinct histories with customer_count."""
    keys = ["frequency", "recency_days", "age_days"]
    return customers.groupby(keys).size().reset_index(name="customer_count")


def simulated_bg_nbd(
    parameters: tuple, customers: int, seed: int, oldest: float = 52
) -> pd.DataFrame:
    """Histories of customers who behave as BG/NBD says, ages spread evenly.

    Parameters
    ----------
    parameters : tuple of four floats
        r, alpha (weeks), a, b.
    customers, seed : int
    oldest : float
        Weeks; the youngest are half as old.

    Returns
    -------
    DataFrame
        frequency, recency, age (weeks), rate, leave_probability, is_alive: a row per
        customer.
    """
    r, alpha, a, b = parameters
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, customers)
    leave = random.beta(a, b, customers)
    age = random.uniform(oldest / 2, oldest, customers)
    frequency = np.zeros(customers, dtype=int)
    recency = np.zeros(customers)
    clock = np.zeros(customers)
    active = np.arange(customers)
    is_alive = np.ones(customers, dtype=bool)
    while len(active):
        clock[active] += random.exponential(1 / rate[active])
        active = active[clock[active] <= age[active]]
        frequency[active] += 1
        recency[active] = clock[active]
        stays = random.random(len(active)) >= leave[active]
        is_alive[active[~stays]] = False
        active = active[stays]
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": recency,
            "age": age,
            "rate": rate,
            "leave_probability": leave,
            "is_alive": is_alive,
        }
    )


def p_alive(process, parameters, frequency, recency, age) -> np.ndarray:
    """P(alive | x, t_x, T): papers' closed form, or for Pareto/NBD the integral."""
    frequency, recency, age = np.broadcast_arrays(
        *(np.asarray(values, dtype=float) for values in (frequency, recency, age))
    )
    if process == "pareto_nbd":
        return expit(-pareto_log_odds_dead(parameters, frequency, recency, age))
    r, alpha, a, b = parameters
    if process == "mbg_nbd":
        b = b + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        log_odds = np.log(a / (b + frequency - 1)) + (r + frequency) * np.log(
            (alpha + age) / (alpha + recency)
        )
    if process == "bg_nbd":
        log_odds = np.where(frequency > 0, log_odds, -np.inf)
    return expit(-log_odds)


def pareto_log_odds_dead(parameters, frequency, recency, age) -> np.ndarray:
    """Logarithm of the odds of having left, under Pareto/NBD.

    The time of leaving y has the density s beta^s (beta + y)^-(s+1); until then
    purchases have the likelihood (alpha + y)^-(r+x). Integrated over log(y - t_x), on
    which both are smooth, by 16 nodes of Gauss-Legendre in each of 60 pieces one long.
    """
    r, alpha, s, beta = parameters
    frequency, recency, age = (
        np.asarray(values, dtype=float)[..., None]
        for values in (frequency, recency, age)
    )
    nodes, weights = np.polynomial.legendre.leggauss(16)
    before_end = (np.arange(60)[:, None] + (nodes + 1) / 2).ravel()
    with np.errstate(divide="ignore"):
        log_since = np.log(age - recency) - before_end
    since = np.exp(log_since)
    log_terms = (
        np.log(np.tile(weights, 60) / 2)
        + np.log(s)
        + log_since
        - np.log(beta + recency + since)
        - s * (np.log(beta + recency + since) - np.log(beta + age))
        - (r + frequency) * (np.log(alpha + recency + since) - np.log(alpha + age))
    )
    return logsumexp(log_terms, axis=-1)


def pareto_log_likelihood(parameters, frequency, recency, age) -> float:
    """Log-likelihood of one customer under Pareto/NBD."""
    r, alpha, s, beta = parameters
    log_odds = pareto_log_odds_dead(parameters, frequency, recency, age)
    return (
        gammaln(r + frequency)
        - gammaln(r)
        + r * np.log(alpha)
        + s * np.log(beta)
        - (r + frequency) * np.log(alpha + age)
        - s * np.log(beta + age)
        + np.logaddexp(0, log_odds)
    )


def beta_geometric_log_likelihood(process, parameters, frequency, recency, age):
    """Log-likelihood of one customer under BG/NBD or MBG/NBD, by integration over p.

    Given the probability p of leaving after a purchase, and the purchase rate
    integrated out: alive, (1-p)^k (alpha+T)^-(r+x); left at t_x, p (1-p)^(k-1)
    (alpha+t_x)^-(r+x), with k the purchases after which one could leave. Integrated
    over log(p / (1-p)), on which the density of p ~ Beta is smooth.
    """
    r, alpha, a, b = parameters
    occasions = frequency + (process == "mbg_nbd")
    factor = gammaln(r + frequency) - gammaln(r) + r * np.log(alpha)
    alive = -(r + frequency) * np.log(alpha + age)
    left = -(r + frequency) * np.log(alpha + recency)

    def log_mean(p_power, q_power):
        """Logarithm of E[p^p_power (1-p)^q_power]."""
        value, peak = _over_logit(a + p_power, b + q_power, lambda p: 1.0)
        return np.log(value) + peak - betaln(a, b)

    value = log_mean(0, occasions) + alive
    if occasions > 0:
        value = np.logaddexp(value, log_mean(1, occasions - 1) + left)
    return factor + value


def _over_logit(a, b, function) -> tuple[float, float]:
    """Integral of function(p) p^(a-1) (1-p)^(b-1) dp over [0, 1], as value x e^peak."""

    def log_density(place):
        # log p and log (1 - p) without loss at either end
        return -a * np.logaddexp(0, -place) - b * np.logaddexp(0, place)

    middle = np.log(a / b)
    peak = log_density(middle)
    width = np.sqrt(1 / a + 1 / b)
    steps = np.concatenate([[0], 0.5 * 1.6 ** np.arange(14)]) * width
    edges = np.unique(np.concatenate([middle - steps, middle + steps]))
    total = sum(
        quad(
            lambda place: np.exp(log_density(place) - peak) * function(expit(place)),
            low,
            high,
            epsabs=1e-18,
            epsrel=1e-12,
        )[0]
        for low, high in pairwise(edges)
    )
    return total, peak


def expected_purchases(process, parameters, frequency, age, ahead) -> float:
    """E[X(T, T + t) | alive at T, x, T] of one customer, by integration.

    Who is alive with x purchases has a purchase rate ~ Gamma(r + x, alpha + T). Under
    Pareto/NBD they stay for u more weeks with probability ((beta + T) / (beta + T +
    u))^s, which is integrated over u. Else they leave with probability p ~ Beta(a, b +
    x) per purchase (MBG/NBD: b + 1 + x); (1 - exp(-rate p t)) / p purchases lie ahead
    in the mean, or with the rate integrated out (1 - (1 + p t / (alpha + T))^-(r + x))
    / p, which is integrated over p.
    """
    if process == "pareto_nbd":
        r, alpha, s, beta = parameters
        edges = np.concatenate([[0], np.geomspace(ahead * 1e-12, ahead, 40)])
        weeks_alive = sum(
            quad(lambda week: (1 + week / (beta + age)) ** -s, low, high, epsrel=1e-12)[
                0
            ]
            for low, high in pairwise(edges)
        )
        return (r + frequency) / (alpha + age) * weeks_alive
    r, alpha, a, b = parameters
    b = b + frequency + (process == "mbg_nbd")
    shape, span = r + frequency, ahead / (alpha + age)

    def purchases(p):
        if p * span < 1e-290:
            return shape * span
        return -np.expm1(-shape * np.log1p(p * span)) / p

    top, peak = _over_logit(a, b, purchases)
    return top * np.exp(peak - betaln(a, b))


def gamma_gamma_density(parameters, frequency, mean_spend) -> float:
    """Density of a customer's mean spend, by integration over the customer's rate nu.

    A mean of x spends ~ Gamma(p, nu) is Gamma(p x, nu x); nu ~ Gamma(q, v).
    """
    p, q, v = parameters
    shape = p * frequency

    def integrand(place):
        nu = np.exp(place)
        return np.exp(
            xlogy(shape, nu * frequency)
            + (shape - 1) * np.log(mean_spend)
            - nu * frequency * mean_spend
            - gammaln(shape)
            + xlogy(q, v)
            + q * place
            - v * nu
            - gammaln(q)
        )

    middle = np.log((shape + q) / (v + frequency * mean_spend))
    steps = np.linspace(-40, 8, 97) / np.sqrt(shape + q)
    return sum(
        quad(integrand, middle + low, middle + high, epsabs=0, epsrel=1e-12)[0]
        for low, high in pairwise(steps)
    )
