"""Purchases to expect of a customer who is still one, by frequency and age.

Given that a customer has not left, the expected number of further purchases depends on
frequency and age alone, not on recency: so it is worked out once per distinct pair, and
SQL multiplies it by the probability that the customer has not left.
"""

import threading

import numpy as np
import pandas as pd

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())
with LEARNING:
    from scipy.special import betaln, hyp2f1

DAYS_A_WEEK = 7
WEEKS_A_YEAR = 365.25 / 7
EVERYONE = "all channels"

PARAMETERS = {
    "bg_nbd": ("r", "alpha_weeks", "a", "b"),
    "mbg_nbd": ("r", "alpha_weeks", "a", "b"),
    "pareto_nbd": ("r", "alpha_weeks", "s", "beta_weeks"),
}

# Gauss-Legendre on [0, 1]
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(32)
NODES, NODE_WEIGHTS = (NODES + 1) / 2, NODE_WEIGHTS / 2
# exp(-36) of a purchase counts for nothing
LAST_DISCOUNT = 36.0
# Of the trapezoidal rule
STEPS = 1024

COLUMNS = {
    "cutoff": "string",
    "customer_group": "string",
    "process": "string",
    "draw_number": "int32",
    "frequency": "int32",
    "age_days": "int32",
    "period_number": "int32",
    "expected_purchases": "float64",
    "purchase_probability": "float64",
    "dert": "float64",
}


def expected_purchases(
    process: str, parameters: tuple, frequency, age, ahead
) -> np.ndarray:
    """Expect purchases within a time from now of a customer who is still one.

    Parameters
    ----------
    process : {'bg_nbd', 'mbg_nbd', 'pareto_nbd'}
    parameters : tuple of four floats
        r, alpha, a, b; or r, alpha, s, beta.
    frequency, age, ahead : array of float
        Repeat purchases x, age T, and time ahead t, of shapes that broadcast, time in
        the unit of the parameters.

    Returns
    -------
    array of float
        E[X(T, T + t) | alive at T, x, T].

    Notes
    -----
    BG/NBD: Fader, Hardie & Lee 2005a (Marketing Science 24(2)), equation 10, without
    the factor P(alive), in Euler's form of 2F1, which neither overflows for frequent
    customers nor loses digits:

        c / (a - 1) * (1 - (1 - z)^(a - 1) * 2F1(a + b - 1 - r, a - 1; c; z)),
        c = a + b + x - 1, z = t / (alpha + T + t).

    MBG/NBD: the same with b + 1 for b. Pareto/NBD: Schmittlein, Morrison & Colombo 1987
    (Management Science 33(1)), equation 22, without P(alive).
    """
    frequency, age, ahead = np.broadcast_arrays(
        *(np.asarray(values, dtype=float) for values in (frequency, age, ahead))
    )
    if process == "pareto_nbd":
        r, alpha, s, beta = parameters
        s = _off_one(s)
        log_staying = -np.log1p(ahead / (beta + age))
        return (
            (r + frequency)
            * (beta + age)
            / (alpha + age)
            * -np.expm1((s - 1) * log_staying)
            / (s - 1)
        )
    r, alpha, a, b = parameters
    a = _off_one(a)
    if process == "mbg_nbd":
        b = b + 1
    c = a + b + frequency - 1
    z = ahead / (alpha + age + ahead)
    with np.errstate(all="ignore"):
        expected = (
            c / (a - 1) * (1 - (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, c, z))
        )
    lost = ~np.isfinite(expected)
    if lost.any():
        expected[lost] = _beta_geometric_by_quadrature(
            r + frequency[lost], alpha + age[lost], a, b + frequency[lost], ahead[lost]
        )
    return expected


def _off_one(value: float) -> float:
    """Step off a = 1, where the formulae divide by zero but have a limit."""
    return value if abs(value - 1) > 1e-6 else 1 + 1e-6


def _beta_geometric_by_quadrature(shape, rate, a, b, ahead):
    """Work out the same where 2F1 has no value, as with a beyond a hundred.

    The mean over p ~ Beta(a, b) of f(p) = (1 - (1 + p t / rate)^-shape) / p. What f
    falls short of f(0) = shape t / rate is integrated over log(p / (1 - p)), by the
    trapezoidal rule, which for a smooth bell is exact to many digits.
    """
    most = shape * ahead / rate
    left = 40 / (a + 1) + np.sqrt(80 * (1 / a + 1 / b))
    right = 40 / b + np.sqrt(80 * (1 / a + 1 / b)) + 5
    steps = (left + right) / (STEPS - 1)
    place = np.log(a / b)[:, None] - left[:, None] + steps[:, None] * np.arange(STEPS)
    log_p, log_rest = -np.logaddexp(0, -place), -np.logaddexp(0, place)
    p = np.exp(log_p)
    weights = (
        np.exp(a * log_p + b[:, None] * log_rest - betaln(a, b)[:, None])
        * steps[:, None]
    )
    log_staying = -shape[:, None] * np.log1p(p * (ahead / rate)[:, None])
    shortfall = most[:, None] + np.expm1(log_staying) / np.maximum(p, 1e-300)
    return most - (weights * shortfall).sum(axis=1)


def purchase_probability(
    process: str, parameters: tuple, frequency, age, ahead: float
) -> np.ndarray:
    """Probability that a customer who is still one buys within a time from now.

    Parameters
    ----------
    process, parameters, frequency, age
        As of `expected_purchases`.
    ahead : float

    Returns
    -------
    array of float

    Notes
    -----
    In BG/NBD and MBG/NBD a living customer stays until the next purchase, so it is one
    less the chance of a gap that long, ((alpha + T) / (alpha + T + t))^(r + x). In
    Pareto/NBD the customer may leave before: the density of the next purchase, times
    the chance to stay until it, ((beta + T) / (beta + T + u))^s, is integrated over u
    by Gauss-Legendre on the quantiles of the gap.
    """
    frequency = np.asarray(frequency, dtype=float)
    age = np.asarray(age, dtype=float)
    if process != "pareto_nbd":
        r, alpha, _, _ = parameters
        return -np.expm1(-(r + frequency) * np.log1p(ahead / (alpha + age)))
    r, alpha, s, beta = parameters
    shape = (r + frequency)[..., None]
    age = age[..., None]
    within = -np.expm1(-shape * np.log1p(ahead / (alpha + age)))
    quantiles = within * NODES
    gaps = (alpha + age) * np.expm1(-np.log1p(-quantiles) / shape)
    staying = np.exp(-s * np.log1p(gaps / (beta + age)))
    return within[..., 0] * (staying @ NODE_WEIGHTS)


def discounted_expected_residual_transactions(
    process: str, parameters: tuple, frequency, age, discount_rate: float
) -> np.ndarray:
    """DERT: all further purchases of a customer who is still one, discounted.

    Parameters
    ----------
    process, parameters, frequency, age
        As of `expected_purchases`.
    discount_rate : float
        Continuously compounded, per unit of time; above 0.

    Returns
    -------
    array of float

    Notes
    -----
    The integral of exp(-delta t) dE(t) is that of delta exp(-delta t) E(t) dt, taken by
    Gauss-Legendre over log(1 + t / (alpha + T)), in which E is smooth: 32 nodes give
    nine digits, where Gauss-Laguerre over t gives three or four for a small alpha.
    Fader, Hardie & Lee 2005b (Journal of Marketing Research 42(4)) have a closed form
    for Pareto/NBD only.
    """
    frequency = np.asarray(frequency, dtype=float)[..., None]
    age = np.asarray(age, dtype=float)[..., None]
    since = parameters[1] + age
    reach = np.log1p(LAST_DISCOUNT / (discount_rate * since))
    ahead = since * np.expm1(reach * NODES)
    weights = np.exp(-discount_rate * ahead) * (since + ahead) * reach * NODE_WEIGHTS
    expected = expected_purchases(process, parameters, frequency, age, ahead)
    return discount_rate * (expected * weights).sum(axis=-1)


def learn(
    counted: pd.DataFrame,
    periods: pd.DataFrame,
    fitted: pd.DataFrame,
    drawn: pd.DataFrame,
    discount_rate_annual: float,
) -> pd.DataFrame:
    """Work out expected purchases for every frequency and age that occurs.

    Parameters
    ----------
    counted : DataFrame
        cutoff, customer_group, frequency, age_days: one row per distinct pair.
    periods : DataFrame
        cutoff, period_number, start_days, end_days: spans in days after the cutoff.
    fitted : DataFrame
        ml_purchase_process.
    drawn : DataFrame
        ml_purchase_draws.
    discount_rate_annual : float
        Annual effective rate of DERT; 0 has no DERT (it may be infinite).

    Returns
    -------
    DataFrame
        draw_number 0 is the estimate. Period 0 is all periods of the live cutoff
        together; the draws have only that one. DERT and the probability of a purchase
        within twelve months stand there; the latter only if the horizon is as long.
    """
    spans = {
        cutoff: span.sort_values("period_number")
        for cutoff, span in periods[periods["end_days"] > 0].groupby("cutoff")
    }
    pairs = {
        key: pair.sort_values(["frequency", "age_days"])
        for key, pair in counted.groupby(["cutoff", "customer_group"])
    }
    fits = pd.concat(
        [fitted.assign(draw_number=0), drawn.assign(cutoff="live")], ignore_index=True
    )
    learned = set(zip(fits["cutoff"], fits["customer_group"], strict=True))
    everyone = fits[fits["customer_group"] == EVERYONE]
    fits = pd.concat(
        [fits]
        # a group of which nothing was learned is judged by all channels
        + [
            everyone[everyone["cutoff"] == cutoff].assign(customer_group=group)
            for cutoff, group in pairs
            if (cutoff, group) not in learned
        ],
        ignore_index=True,
    ).sort_values(["cutoff", "customer_group", "process", "draw_number"])
    tables = [
        _rows(
            fit,
            pairs[fit["cutoff"], fit["customer_group"]],
            spans[fit["cutoff"]],
            discount_rate_annual,
        )
        for fit in fits.to_dict("records")
        # a group learned before may have no customers as of today
        if fit["cutoff"] in spans and (fit["cutoff"], fit["customer_group"]) in pairs
    ]
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def _rows(
    fit: dict, pair: pd.DataFrame, span: pd.DataFrame, discount_rate_annual: float
) -> pd.DataFrame:
    """Work out the rows of one fit or draw."""
    process, is_estimate = fit["process"], fit["draw_number"] == 0
    parameters = tuple(fit[name] for name in PARAMETERS[process])
    frequency = pair["frequency"].to_numpy()
    age = pair["age_days"].to_numpy() / DAYS_A_WEEK
    ends = span["end_days"].to_numpy() / DAYS_A_WEEK
    numbers = span["period_number"].to_numpy()
    if not is_estimate:
        ends, numbers = ends[-1:], np.array([0])
    expected = np.diff(
        expected_purchases(process, parameters, frequency[:, None], age[:, None], ends),
        prepend=0.0,
        axis=1,
    )
    probability = dert = np.full(len(pair), np.nan)
    if fit["cutoff"] == "live" and is_estimate:
        expected = np.column_stack([expected.sum(axis=1), expected])
        numbers = np.concatenate([[0], numbers])
        if len(ends) >= 12:
            probability = purchase_probability(
                process, parameters, frequency, age, ends[11]
            )
        if discount_rate_annual > 0:
            dert = discounted_expected_residual_transactions(
                process,
                parameters,
                frequency,
                age,
                np.log1p(discount_rate_annual) / WEEKS_A_YEAR,
            )
    is_whole = np.tile(numbers == 0, len(pair))
    return pd.DataFrame(
        {
            "cutoff": fit["cutoff"],
            "customer_group": fit["customer_group"],
            "process": process,
            "draw_number": np.int32(fit["draw_number"]),
            "frequency": np.repeat(frequency.astype(np.int32), len(numbers)),
            "age_days": np.repeat(
                pair["age_days"].to_numpy(dtype=np.int32), len(numbers)
            ),
            "period_number": np.tile(numbers.astype(np.int32), len(pair)),
            # a period of next to no purchases may come out below 0 by rounding
            "expected_purchases": np.maximum(expected, 0).ravel(),
            "purchase_probability": np.where(
                is_whole, np.repeat(probability, len(numbers)), np.nan
            ),
            "dert": np.where(is_whole, np.repeat(dert, len(numbers)), np.nan),
        }
    )


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Expect purchases per distinct pair of frequency and age, and period."""
    counted = in_pandas(dbt.ref("int_purchase_histories"))
    periods = in_pandas(dbt.ref("int_value_periods"))
    return learn(
        counted[
            ["cutoff", "customer_group", "frequency", "age_days"]
        ].drop_duplicates(),
        periods,
        in_pandas(dbt.ref("ml_purchase_process")),
        in_pandas(dbt.ref("ml_purchase_draws")),
        float(dbt.config.meta_get("discount_rate_annual")),
    )
