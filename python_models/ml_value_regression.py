"""Multiple linear regression of what customers do next on what is known of them."""

import threading

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

FEATURES = ("frequency", "recency_days", "age_days", "purchase_revenue_amount")
TARGETS = {
    "purchases": "actual_purchases",
    "revenue": "actual_revenue",
    "margin": "actual_margin",
}

# Fewer customers say nothing that would hold for others.
MINIMUM_CUSTOMERS = 30

COLUMNS = {
    "cutoff": "string",
    "target": "string",
    "term": "string",
    "coefficient": "float64",
    "standard_error": "float64",
    "customer_count": "int64",
    "r_squared": "float64",
}


def ordinary_least_squares(
    features: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Fit a straight line through many features, with an intercept.

    Parameters
    ----------
    features : array of float, shape (n, k)
    target : array of float, shape (n,)

    Returns
    -------
    coefficients : array of float, shape (k + 1,)
        The intercept, then one per feature, in the features' units. A feature that is
        the same for everyone gets 0; features that say the same share their effect.
    standard_errors : array of float, shape (k + 1,)
        NaN for a feature that the others determine, for the intercept then too, and
        for all where there are no more customers than coefficients.
    r_squared : float
        Share of the target's variance that is explained; NaN if it has none.

    Notes
    -----
    Greene, Econometric Analysis, 8th edition, chapters 3 and 4; the errors are the
    textbook's, for equal variances.
    """
    customers = len(target)
    centre = features.mean(axis=0)
    spread = features.std(axis=0)
    # what varies by rounding only does not vary
    varies = spread > 1e-12 * np.abs(features).max(axis=0, initial=0)
    scale = np.where(varies, spread, 1.0)
    # with mean 0 and spread 1 rounding plays no part, and of several solutions the
    # smallest is a fair one
    scaled = np.where(varies, (features - centre) / scale, 0.0)
    mean = target.mean()
    slopes, _, rank, _ = np.linalg.lstsq(scaled, target - mean, rcond=1e-10)
    slopes = np.where(varies, slopes / scale, 0.0)
    coefficients = np.concatenate([[mean - centre @ slopes], slopes])

    residual = target - mean - (features - centre) @ slopes
    total = float(np.sum((target - mean) ** 2))
    r_squared = 1 - float(residual @ residual) / total if total > 0 else np.nan

    standard_errors = np.full(len(coefficients), np.nan)
    freedom = customers - len(coefficients)
    if rank == features.shape[1] and freedom > 0:
        variance = residual @ residual / freedom
        covariance = (
            variance * np.linalg.inv(scaled.T @ scaled) / np.outer(scale, scale)
        )
        standard_errors[0] = np.sqrt(
            variance / customers + centre @ covariance @ centre
        )
        standard_errors[1:] = np.sqrt(np.diag(covariance))
    return coefficients, standard_errors, r_squared


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


def learn(customers: pd.DataFrame) -> pd.DataFrame:
    """Regress purchases, revenue and margin on the features.

    Parameters
    ----------
    customers : DataFrame
        cutoff, customer_id, the features and the targets: what was known of each
        customer, and what followed.

    Returns
    -------
    DataFrame
        A row per cutoff, target and term, the intercept first; none of a cutoff with
        fewer than MINIMUM_CUSTOMERS customers.
    """
    rows = []
    for cutoff, known in customers.sort_values("customer_id").groupby("cutoff"):
        if len(known) < MINIMUM_CUSTOMERS:
            continue
        features = known[list(FEATURES)].to_numpy(dtype=float)
        for target, column in TARGETS.items():
            coefficients, standard_errors, r_squared = ordinary_least_squares(
                features, known[column].to_numpy(dtype=float)
            )
            rows += [
                {
                    "cutoff": cutoff,
                    "target": target,
                    "term": term,
                    "coefficient": coefficient,
                    "standard_error": standard_error,
                    "customer_count": len(known),
                    "r_squared": r_squared,
                }
                for term, coefficient, standard_error in zip(
                    ("intercept", *FEATURES), coefficients, standard_errors, strict=True
                )
            ]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Regress what followed the test and the train cutoff on what was known then."""
    customers = in_pandas(dbt.ref("int_regression_sample"))
    with LEARNING, threadpool_limits(limits=1):
        learned = learn(customers)
    return learned
