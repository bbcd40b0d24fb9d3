"""Who leaves within a window: logistic regression and a linear support vector machine.

Both add up what speaks for leaving and what against, so that SQL scores every customer
and can say why. How strongly they are held back (C) is chosen by cross-validation, and
a sigmoid turns their sums into probabilities.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

# Of every customer; those of contracts only where there are contracts
TRAITS = (
    "frequency",
    "days_since_last_purchase",
    "age_days",
    "recent_purchase_count",
    "mean_purchase_amount",
    "margin_rate",
    "gap_variation",
    "main_channel_rate",
    "satisfaction_score",
    "survey_count",
    "recent_use_count",
)
CONTRACT_TRAITS = ("contract_days", "monthly_amount", "term_months")
TEXT_TRAITS = ("acquisition_channel",)
CONTRACT_TEXT_TRAITS = ("plan", "payment_method")
# Rates and scores are not skewed; amounts, counts and days are, and enter as ln(1 + x)
AS_THEY_ARE = ("margin_rate", "main_channel_rate", "satisfaction_score")

# Fewer who left, or who stayed, say nothing that would hold for others.
MINIMUM_CUSTOMERS = 50
# Rarer levels count as the average of all levels.
LEVEL_RATE = 0.01
LEVEL_CUSTOMERS = 20

LEARNERS = ("logistic", "linear_svm")
STRENGTHS = (0.001, 0.01, 0.1, 1.0)
FOLDS = 5
# The strength, the sigmoid and the measures are found on so many at most, in seconds.
TUNING_CUSTOMERS = 50_000
SEED = 20240131

COLUMNS = {
    "cutoff": "string",
    "relationship": "string",
    "churn_learner": "string",
    "churn_term": "string",
    "term_level": "string",
    "is_logarithm": "bool",
    "term_mean": "float64",
    "term_standard_deviation": "float64",
    "decision_coefficient": "float64",
    "own_correlation": "float64",
    "calibration_slope": "float64",
    "calibration_intercept": "float64",
    "regularisation_c": "float64",
    "customer_count": "int64",
    "churner_count": "int64",
    "cross_validated_log_loss": "float64",
    "cross_validated_brier_score": "float64",
    "cross_validated_auc": "float64",
    "cross_validated_average_precision": "float64",
    "cross_validated_top_decile_lift": "float64",
    "is_winner": "bool",
}


@dataclass(frozen=True)
class Term:
    """What a coefficient multiplies: (x - mean) / standard_deviation.

    x is a numeric trait, or ln(1 + x) of it, or 1 for customers with the level of a
    text trait and 0 for the others.
    """

    trait: str
    level: str | None
    is_logarithm: bool
    mean: float
    standard_deviation: float


@dataclass(frozen=True)
class Fit:
    """What one learner learned.

    The decision is intercept + coefficients @ terms; the probability of leaving is
    sigmoid(calibration_slope * decision + calibration_intercept).
    """

    strength: float
    intercept: float
    coefficients: np.ndarray
    calibration_slope: float
    calibration_intercept: float
    measures: dict[str, float]


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Turn log odds into probabilities."""
    return 1 / (1 + np.exp(-np.clip(values, -700, 700)))


def terms_of(
    customers: pd.DataFrame, traits: tuple[str, ...], text_traits: tuple[str, ...]
) -> tuple[list[Term], np.ndarray]:
    """Lay out what is known of customers as columns with mean 0.

    Parameters
    ----------
    customers : DataFrame
        A row per customer with the traits; numeric ones are never NULL.
    traits, text_traits : tuple of str

    Returns
    -------
    terms : list of Term, length k
        The numeric traits, all of them, then a term per level of the text traits that
        has at least LEVEL_RATE and LEVEL_CUSTOMERS of the customers, but not all.
    columns : array of float, shape (n, k)
        What varies has standard deviation 1, what does not is 0. Levels are not
        divided: a coefficient is then what the level adds.
    """
    terms, columns = [], []
    for trait in traits:
        values = customers[trait].to_numpy(dtype=float)
        is_logarithm = trait not in AS_THEY_ARE
        if is_logarithm:
            values = np.log1p(np.maximum(values, 0))
        mean, spread = float(values.mean()), float(values.std())
        # what varies by rounding only does not vary
        if spread <= 1e-9 * np.abs(values).max(initial=0):
            spread = 0.0
        terms.append(Term(trait, None, is_logarithm, mean, spread))
        columns.append((values - mean) / spread if spread else np.zeros(len(values)))
    needed = max(LEVEL_CUSTOMERS, LEVEL_RATE * len(customers))
    for trait in text_traits:
        counts = customers[trait].value_counts()
        for level in sorted(counts.index[counts >= needed]):
            values = (customers[trait] == level).to_numpy(dtype=float)
            mean = float(values.mean())
            if mean < 1:
                terms.append(Term(trait, level, False, mean, 1.0))
                columns.append(values - mean)
    return terms, np.column_stack(columns)


def own_correlations(columns: np.ndarray, churned: np.ndarray) -> np.ndarray:
    """Correlate each term by itself with leaving.

    A coefficient speaks of customers who are equal in all other terms, and may point
    the other way than the term does by itself.

    Parameters
    ----------
    columns : array of float, shape (n, k)
        With mean 0.
    churned : array of bool, shape (n,)

    Returns
    -------
    array of float, shape (k,)
        Pearson's correlation; 0 for a term that is the same for everyone.
    """
    spread = columns.std(axis=0) * churned.std()
    products = (columns * (churned - churned.mean())[:, None]).mean(axis=0)
    return np.divide(products, spread, out=np.zeros(len(spread)), where=spread > 0)


def decision_line(
    learner: str, strength: float, columns: np.ndarray, churned: np.ndarray
) -> tuple[float, np.ndarray]:
    """Fit the line that tells leavers from stayers.

    Parameters
    ----------
    learner : {'logistic', 'linear_svm'}
    strength : float
        C of scikit-learn: what the customers' errors weigh against the size of the
        coefficients. Smaller = held back more.
    columns : array of float, shape (n, k)
    churned : array of bool, shape (n,)

    Returns
    -------
    intercept : float
    coefficients : array of float, shape (k,)
    """
    # imported here: costs seconds
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    if learner == "logistic":
        line = LogisticRegression(
            C=strength, solver="newton-cholesky", tol=1e-8, max_iter=200
        )
    else:
        line = LinearSVC(
            C=strength, dual=False, tol=1e-6, max_iter=2000, random_state=SEED
        )
    with warnings.catch_warnings():
        # cross-validation judges a line that is not quite the best
        warnings.simplefilter("ignore", ConvergenceWarning)
        line.fit(columns, churned)
    return float(line.intercept_[0]), line.coef_[0]


def platt_sigmoid(decisions: np.ndarray, churned: np.ndarray) -> tuple[float, float]:
    """Find the sigmoid that turns decisions into probabilities.

    Parameters
    ----------
    decisions : array of float, shape (n,)
        Of customers whom the line was not fitted to; larger = more likely to leave.
    churned : array of bool, shape (n,)

    Returns
    -------
    slope, intercept : float
        Of the log odds. The slope is never negative: decisions that are worse than
        chance say nothing, and everyone gets the average.

    Notes
    -----
    Platt 1999, Probabilistic outputs for support vector machines, with his targets
    (n + 1) / (n + 2) and 1 / (n + 2) in place of 1 and 0; by Newton's method as in Lin,
    Lin & Weng 2007 (Machine Learning 68).
    """
    leavers = int(churned.sum())
    stayers = len(churned) - leavers
    targets = np.where(churned, (leavers + 1) / (leavers + 2), 1 / (stayers + 2))
    mean = float(targets.mean())
    nothing = (0.0, float(np.log(mean / (1 - mean))))
    spread = decisions.std()
    if spread <= 1e-12 * np.abs(decisions).max(initial=0):
        return nothing

    centre = decisions.mean()
    lines = np.column_stack([(decisions - centre) / spread, np.ones(len(decisions))])

    def loss(parameters: np.ndarray) -> float:
        log_odds = lines @ parameters
        return float(np.sum(np.logaddexp(0, log_odds) - targets * log_odds))

    parameters = np.array([0.0, nothing[1]])
    for _ in range(100):
        probabilities = sigmoid(lines @ parameters)
        gradient = lines.T @ (probabilities - targets)
        if np.abs(gradient).max() < 1e-9 * len(decisions):
            break
        weights = probabilities * (1 - probabilities)
        curvature = lines.T @ (lines * weights[:, None]) + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (
            size > 1e-6
            and loss(parameters - size * step)
            > loss(parameters) - 1e-4 * size * gradient @ step
        ):
            size /= 2
        parameters = parameters - size * step
    if parameters[0] <= 0:
        return nothing
    slope = parameters[0] / spread
    return float(slope), float(parameters[1] - slope * centre)


def top_decile_lift(probabilities: np.ndarray, churned: np.ndarray) -> float:
    """Share of leavers among the tenth most likely to leave / among all.

    A tenth that is no whole number takes a part of a customer; of equals across the
    border each counts with the part of them that fits in.
    """
    groups = pd.DataFrame({"probability": probabilities, "churned": churned})
    groups = groups.groupby("probability")["churned"].agg(["size", "sum"])[::-1]
    top = 0.1 * len(churned)
    before = groups["size"].cumsum() - groups["size"]
    part = ((top - before) / groups["size"]).clip(0, 1)
    return float((part * groups["sum"]).sum() / top / churned.mean())


def measures_of(probabilities: np.ndarray, churned: np.ndarray) -> dict[str, float]:
    """Judge probabilities by what became of the customers."""
    # imported here: costs seconds
    from sklearn import metrics

    return {
        "log_loss": metrics.log_loss(churned, probabilities),
        "brier_score": metrics.brier_score_loss(churned, probabilities),
        "auc": metrics.roc_auc_score(churned, probabilities),
        "average_precision": metrics.average_precision_score(churned, probabilities),
        "top_decile_lift": top_decile_lift(probabilities, churned),
    }


def cross_validated(
    fit_line: Callable, folds: list, columns: np.ndarray, churned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Decide on each customer by lines fitted to others.

    Parameters
    ----------
    fit_line : callable
        From columns and churned to intercept and coefficients.
    folds : list of (array of int, array of int)
        Whom to learn from and whom to decide on.
    columns : array of float, shape (n, k)
    churned : array of bool, shape (n,)

    Returns
    -------
    decisions : array of float, shape (n,)
    probabilities : array of float, shape (n,)
        By a sigmoid that was fitted to the decisions on the other folds' customers.
    """
    decisions = np.empty(len(churned))
    for learned_from, decided_on in folds:
        intercept, coefficients = fit_line(columns[learned_from], churned[learned_from])
        decisions[decided_on] = intercept + columns[decided_on] @ coefficients
    probabilities = np.empty(len(churned))
    for learned_from, decided_on in folds:
        slope, intercept = platt_sigmoid(decisions[learned_from], churned[learned_from])
        probabilities[decided_on] = sigmoid(slope * decisions[decided_on] + intercept)
    return decisions, probabilities


def tuned(learner: str, columns: np.ndarray, churned: np.ndarray) -> Fit:
    """Fit a learner with the strength whose cross-validated log loss is smallest.

    The line is then fitted to all customers; the sigmoid stays that of decisions on
    customers who were not learned from. The smaller strength wins a tie.
    """
    # imported here: costs seconds
    from sklearn.model_selection import StratifiedKFold

    some = np.random.default_rng(SEED).permutation(len(churned))[:TUNING_CUSTOMERS]
    some = np.sort(some)
    some_columns, some_churned = columns[some], churned[some]
    shuffled = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    folds = list(shuffled.split(some_columns, some_churned))
    best = None
    for strength in STRENGTHS:

        def fit_line(columns, churned, strength=strength):
            return decision_line(learner, strength, columns, churned)

        decisions, probabilities = cross_validated(
            fit_line, folds, some_columns, some_churned
        )
        measures = measures_of(probabilities, some_churned)
        log_loss = round(measures["log_loss"], 9)
        if best is None or log_loss < best[0]:
            best = (log_loss, strength, decisions, measures)
    _, strength, decisions, measures = best
    return Fit(
        strength,
        *decision_line(learner, strength, columns, churned),
        *platt_sigmoid(decisions, some_churned),
        measures,
    )


def learned_from(customers: pd.DataFrame, relationship: str) -> list[dict]:
    """Rows of what both learners learned of one cutoff and relationship.

    None where fewer than MINIMUM_CUSTOMERS left, or stayed.
    """
    churned = customers["has_left"].to_numpy(dtype=bool)
    churners = int(churned.sum())
    if min(churners, len(churned) - churners) < MINIMUM_CUSTOMERS:
        return []
    is_contractual = relationship == "contractual"
    terms, columns = terms_of(
        customers,
        TRAITS + CONTRACT_TRAITS * is_contractual,
        TEXT_TRAITS + CONTRACT_TEXT_TRAITS * is_contractual,
    )
    # nothing is to be said of the intercept
    correlations = (0.0, *own_correlations(columns, churned))
    # imported before the limit, which binds only what is loaded by then; costs seconds
    import sklearn.linear_model
    import sklearn.model_selection
    import sklearn.svm  # noqa: F401

    with threadpool_limits(limits=1):
        fits = {learner: tuned(learner, columns, churned) for learner in LEARNERS}
    # the first of equals, so the logistic regression, wins
    winner = min(fits, key=lambda learner: round(fits[learner].measures["log_loss"], 9))
    return [
        {
            "relationship": relationship,
            "churn_learner": learner,
            "churn_term": term.trait,
            "term_level": term.level,
            "is_logarithm": term.is_logarithm,
            "term_mean": term.mean,
            "term_standard_deviation": term.standard_deviation,
            "decision_coefficient": coefficient,
            "own_correlation": correlation,
            "calibration_slope": fit.calibration_slope,
            "calibration_intercept": fit.calibration_intercept,
            "regularisation_c": fit.strength,
            "customer_count": len(customers),
            "churner_count": churners,
            "is_winner": learner == winner,
        }
        | {f"cross_validated_{name}": value for name, value in fit.measures.items()}
        for learner, fit in fits.items()
        for term, coefficient, correlation in zip(
            (Term("intercept", None, False, 0.0, 1.0), *terms),
            (fit.intercept, *fit.coefficients),
            correlations,
            strict=True,
        )
    ]


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        values = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 9)
            learned[column] = np.where(values == 0, 0.0, np.round(values / unit) * unit)
    return learned


def learn(customers: pd.DataFrame) -> pd.DataFrame:
    """Learn who leaves, for each cutoff and relationship.

    Parameters
    ----------
    customers : DataFrame
        cutoff, customer_id, relationship, the traits as known at the cutoff, and
        has_left: whether the customer had left by the end of the window after it.

    Returns
    -------
    DataFrame
        A row per cutoff, relationship, learner and term, the intercept first.
    """
    rows = []
    customers = customers.sort_values(["cutoff", "relationship", "customer_id"])
    for (cutoff, relationship), known in customers.groupby(["cutoff", "relationship"]):
        rows += [{"cutoff": cutoff} | row for row in learned_from(known, relationship)]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Learn from the windows after the test and the train cutoff."""
    known = in_pandas(dbt.ref("int_churn_sample"))
    with LEARNING:
        learned = learn(known)
    return learned
