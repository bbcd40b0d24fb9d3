"""Cox's proportional hazards: what is known at the start, and how long people stay."""

import threading
import warnings

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

# Known on the first day, so that who stayed longer has not had more time to earn them.
TEXT_TRAITS = (
    "acquisition_channel",
    "country",
    "sales_channel",
    "start_quarter",
    "plan",
    "contract_term",
    "payment_method",
)
# Taken as ln(1 + x): twice the amount makes the same difference everywhere.
LOGARITHMIC_TRAITS = ("first_purchase_amount", "monthly_amount")

# Fewer customers lost say nothing that would hold for others.
MINIMUM_EVENTS = 50
# A level of fewer is pooled into `other`; so are the rarest beyond the most levels.
MINIMUM_LEVEL_CUSTOMERS = 30
MINIMUM_LEVEL_EVENTS = 10
MOST_LEVELS = 12
OTHER = "other"

# The fit is asked without a penalty first. Coefficients and errors beyond these bounds
# (hazard ratios of millions) are no estimates: the data leave them open.
PENALTIES = (0.0, 0.01, 0.1)
LARGEST_COEFFICIENT = 15.0
LARGEST_ERROR = 15.0

# The 97.5 % quantile of the normal distribution.
Z_SCORE = 1.959963984540054

COLUMNS = {
    "cutoff": "string",
    "relationship": "string",
    "survival_trait": "string",
    "trait_level": "string",
    "hazard_coefficient": "float64",
    "hazard_standard_error": "float64",
    "hazard_ratio": "float64",
    "hazard_ratio_lower": "float64",
    "hazard_ratio_upper": "float64",
    "p_value": "float64",
    "proportionality_p_value": "float64",
    "trait_mean": "float64",
    "level_count": "int64",
    "is_amount": "bool",
    "is_reference": "bool",
    "concordance": "float64",
    "log_likelihood": "float64",
    "shrinkage_rate": "float64",
    "penalty": "float64",
    "customer_count": "int64",
    "lost_customer_count": "int64",
}


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        values = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 9)
            learned[column] = np.where(values == 0, 0.0, np.round(values / unit) * unit)
    return learned


def pooled_levels(levels: pd.Series, is_event: np.ndarray) -> pd.Series:
    """Name the levels that are too rare to tell apart `other`.

    Parameters
    ----------
    levels : Series of str
    is_event : array of bool, of the same length

    Returns
    -------
    Series of str
        The most frequent levels that have enough customers and events, else `other`.
    """
    counts = pd.DataFrame({"level": levels.to_numpy(), "event": is_event})
    counts = counts.groupby("level")["event"].agg(["size", "sum"])
    enough = counts[
        (counts["size"] >= MINIMUM_LEVEL_CUSTOMERS)
        & (counts["sum"] >= MINIMUM_LEVEL_EVENTS)
    ].sort_index(kind="stable")
    kept = enough.sort_values("size", ascending=False, kind="stable").index[
        :MOST_LEVELS
    ]
    return levels.where(levels.isin(kept), OTHER)


def terms_of(customers: pd.DataFrame, is_event: np.ndarray) -> pd.DataFrame:
    """List the terms of the model, with the reference levels.

    Returns
    -------
    DataFrame
        survival_trait, trait_level ('' for an amount), values (array of float),
        level_count, is_reference, is_amount. A trait that is the same for everyone has
        no terms.
    """
    rows = []
    for trait in TEXT_TRAITS:
        levels = pooled_levels(customers[trait].astype(str), is_event)
        counts = levels.value_counts().sort_index(kind="stable")
        counts = counts.sort_values(ascending=False, kind="stable")
        if len(counts) < 2:
            continue
        # the reference is a level with a name, however common the nameless are
        named = [level for level in counts.index if level != OTHER]
        # what is too rare even together is as the reference
        too_rare = OTHER in counts and (
            counts[OTHER] < MINIMUM_LEVEL_CUSTOMERS
            or is_event[(levels == OTHER).to_numpy()].sum() < MINIMUM_LEVEL_EVENTS
        )
        if not named or (too_rare and len(named) < 2):
            continue
        for level, count in counts.items():
            rows.append(
                {
                    "survival_trait": trait,
                    "trait_level": level,
                    "values": (levels == level).to_numpy(dtype=float),
                    "level_count": int(count),
                    "is_reference": level == named[0] or (level == OTHER and too_rare),
                    "is_amount": False,
                }
            )
    for trait in LOGARITHMIC_TRAITS:
        amounts = customers[trait].to_numpy(dtype=float)
        values = np.log1p(np.maximum(amounts, 0))
        if values.std() > 1e-9 * max(1, np.abs(values).max()):
            rows.append(
                {
                    "survival_trait": trait,
                    "trait_level": "",
                    "values": values,
                    "level_count": len(values),
                    "is_reference": False,
                    "is_amount": True,
                }
            )
    return pd.DataFrame(
        rows,
        columns=[
            "survival_trait",
            "trait_level",
            "values",
            "level_count",
            "is_reference",
            "is_amount",
        ],
    )


def independent_columns(design: np.ndarray) -> np.ndarray:
    """Tell which columns the ones before them do not determine.

    Parameters
    ----------
    design : array of float, shape (n, k)

    Returns
    -------
    array of bool, shape (k,)
        False for a column that is constant or a combination of earlier ones.
    """
    kept = np.zeros(design.shape[1], dtype=bool)
    basis = np.empty((len(design), 0))
    for column, values in enumerate(design.T):
        centred = values - values.mean()
        length = np.linalg.norm(centred)
        rest = centred
        for _ in range(2):  # twice is enough
            rest = rest - basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if length > 0 and size > 1e-6 * length:
            kept[column] = True
            basis = np.column_stack([basis, rest / size])
    return kept


def proportionality_p_values(
    design: np.ndarray,
    durations: np.ndarray,
    is_event: np.ndarray,
    coefficients: np.ndarray,
    variance: np.ndarray,
) -> np.ndarray:
    """Test whether coefficients stay the same over time.

    Parameters
    ----------
    design : array of float, shape (n, k)
    durations, is_event : arrays, shape (n,)
    coefficients : array of float, shape (k,)
    variance : array of float, shape (k, k)
        Covariance of the coefficients.

    Returns
    -------
    array of float, shape (k,)
        p values of the correlation of the scaled Schoenfeld residuals (ties after
        Efron) with the rank of the time; small = the effect changes with time.

    Notes
    -----
    Grambsch & Therneau 1994 (Biometrika 81(3)), in the form of lifelines'
    proportional_hazard_test. Equal times share their mean rank, so that the order of
    rows plays no part; lifelines ranks them as they come, and takes a time that is
    quadratic in the customers.
    """
    from scipy.stats import chi2, rankdata

    centred = design - design.mean(axis=0)
    order = np.argsort(-durations, kind="stable")
    times, events, rows = durations[order], is_event[order], centred[order]
    risks = np.exp(rows @ coefficients)
    weighted = risks[:, None] * rows

    # sums over all who were still there, looked up at the last row of each time
    last_of_time = np.append(times[1:] != times[:-1], True)
    group = np.concatenate([[0], np.cumsum(last_of_time)[:-1]])
    at_risk = np.cumsum(risks)[last_of_time][group[events]]
    at_risk_rows = np.cumsum(weighted, axis=0)[last_of_time][group[events]]

    event_group = group[events]
    starts = np.append(True, event_group[1:] != event_group[:-1])
    tie = np.cumsum(starts) - 1
    first = np.flatnonzero(starts)
    tied = np.add.reduceat(risks[events], first)[tie]
    tied_rows = np.add.reduceat(weighted[events], first, axis=0)[tie]
    tie_sizes = np.diff(np.append(first, len(event_group)))[tie]
    gone = (np.arange(len(event_group)) - first[tie]) / tie_sizes
    means = (at_risk_rows - gone[:, None] * tied_rows) / (at_risk - gone * tied)[
        :, None
    ]
    mean_of_tie = np.add.reduceat(means, first, axis=0) / np.diff(
        np.append(first, len(event_group))
    ).reshape(-1, 1)
    residuals = rows[events] - mean_of_tie[tie]

    event_count = len(residuals)
    scaled = event_count * residuals @ variance
    ranks = rankdata(times[events])
    ranks = ranks - ranks.mean()
    if not np.any(ranks):
        return np.full(design.shape[1], np.nan)
    statistic = (ranks @ scaled) ** 2 / (
        event_count * np.diag(variance) * (ranks @ ranks)
    )
    return chi2.sf(statistic, 1)


def fit_cox(
    design: np.ndarray, durations: np.ndarray, is_event: np.ndarray
) -> dict | None:
    """Fit Cox's model, ties after Efron.

    Parameters
    ----------
    design : array of float, shape (n, k)
        Independent columns.
    durations, is_event : arrays, shape (n,)

    Returns
    -------
    dict or None
        coefficients, variance, standard_errors, p_values, concordance,
        log_likelihood; shrinkage_rate, what coefficients have to be multiplied by to
        hold for others; penalty, the smallest of PENALTIES with which the coefficients
        are finite. None if there is none.

    Notes
    -----
    The shrinkage is 1 - k / (twice the gain in log-likelihood), at least 0: van
    Houwelingen & Le Cessie 1990 (Statistics in Medicine 9(11)).
    """
    # imported before the limit, which binds only what is loaded by then; costs seconds
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    frame = pd.DataFrame(design, columns=[f"x{i}" for i in range(design.shape[1])])
    frame["duration"], frame["event"] = durations, is_event
    for penalty in PENALTIES:
        try:
            with warnings.catch_warnings(), threadpool_limits(limits=1):
                warnings.simplefilter("ignore")
                fitter = CoxPHFitter(penalizer=penalty).fit(frame, "duration", "event")
        except (ConvergenceError, ValueError, np.linalg.LinAlgError):
            continue
        coefficients = fitter.params_.to_numpy()
        errors = fitter.standard_errors_.to_numpy()
        if np.all(np.abs(coefficients) < LARGEST_COEFFICIENT) and np.all(
            errors < LARGEST_ERROR
        ):
            gain = float(fitter.log_likelihood_ratio_test().test_statistic)
            shrinkage_rate = max(0.0, 1 - len(coefficients) / gain) if gain > 0 else 0.0
            try:
                concordance = float(fitter.concordance_index_)
            except ZeroDivisionError:  # nobody was lost before anybody else
                concordance = np.nan
            return {
                "coefficients": coefficients,
                "variance": fitter.variance_matrix_.to_numpy(),
                "standard_errors": errors,
                "p_values": fitter._compute_p_values(),
                "concordance": concordance,
                "log_likelihood": float(fitter.log_likelihood_),
                "shrinkage_rate": shrinkage_rate,
                "penalty": penalty,
            }
    return None


def learn_group(customers: pd.DataFrame) -> list[dict]:
    """Learn how the traits of one group of customers go with how long they stay.

    Parameters
    ----------
    customers : DataFrame
        duration_days, is_lost and the traits, in a fixed order of rows.

    Returns
    -------
    list of dict
        A row per term, reference levels with coefficient 0; one row `none` if no trait
        varies, so that the baseline can still be had. None below MINIMUM_EVENTS.
    """
    is_event = customers["is_lost"].to_numpy(dtype=bool)
    durations = customers["duration_days"].to_numpy(dtype=float)
    if is_event.sum() < MINIMUM_EVENTS:
        return []
    common = {
        "customer_count": len(customers),
        "lost_customer_count": int(is_event.sum()),
    }
    terms = terms_of(customers, is_event)
    estimated = terms.index[~terms["is_reference"]]
    fitted = None
    if len(estimated):
        design = np.column_stack(list(terms.loc[estimated, "values"]))
        kept = independent_columns(design)
        estimated, design = estimated[kept], design[:, kept]
        fitted = fit_cox(design, durations, is_event) if kept.any() else None
    if fitted is None:
        nothing = {
            "survival_trait": "none",
            "trait_level": "",
            "hazard_coefficient": 0.0,
            "hazard_ratio": 1.0,
            "trait_mean": 0.0,
            "level_count": len(customers),
            "is_amount": False,
            "is_reference": True,
            "shrinkage_rate": 0.0,
        }
        return [nothing | common]
    proportionality = proportionality_p_values(
        design, durations, is_event, fitted["coefficients"], fitted["variance"]
    )
    common |= {
        name: fitted[name]
        for name in ("concordance", "log_likelihood", "shrinkage_rate", "penalty")
    }
    position = {index: place for place, index in enumerate(estimated)}
    rows = []
    for index, term in terms.iterrows():
        row = term.drop("values").to_dict() | common
        row["trait_mean"] = float(term["values"].mean())
        if index in position:
            place = position[index]
            coefficient = fitted["coefficients"][place]
            error = fitted["standard_errors"][place]
            row |= {
                "hazard_coefficient": coefficient,
                "hazard_standard_error": error,
                "hazard_ratio": np.exp(coefficient),
                "hazard_ratio_lower": np.exp(coefficient - Z_SCORE * error),
                "hazard_ratio_upper": np.exp(coefficient + Z_SCORE * error),
                "p_value": fitted["p_values"][place],
                "proportionality_p_value": proportionality[place],
            }
        else:
            row |= {"hazard_coefficient": 0.0, "hazard_ratio": 1.0}
        rows.append(row)
    return rows


def learn(customers: pd.DataFrame) -> pd.DataFrame:
    """Fit a model per cutoff and relationship.

    Parameters
    ----------
    customers : DataFrame
        int_customer_lifetimes: cutoff, relationship, customer_id, duration_days,
        is_lost and the traits.

    Returns
    -------
    DataFrame
        The columns COLUMNS; no rows of a group with fewer than MINIMUM_EVENTS events.
    """
    rows = []
    customers = customers.sort_values(["cutoff", "relationship", "customer_id"])
    for (cutoff, relationship), group in customers.groupby(
        ["cutoff", "relationship"], sort=True
    ):
        rows += [
            row | {"cutoff": cutoff, "relationship": relationship}
            for row in learn_group(group)
        ]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Learn how long customers stay, from what was known at their start."""
    known = in_pandas(dbt.ref("int_customer_lifetimes"))
    with LEARNING:
        learned = learn(known)
    return learned
