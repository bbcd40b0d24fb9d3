"""A decision tree and a random forest that tell who will bring much from who won't."""

import threading

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

# What is learned about a customer; every other number of the sample is a trait.
LABELS = ("cutoff", "customer_id", "margin_amount", "actual_tier")
TIERS = ("low", "medium", "high")

# Fewer customers say nothing that would hold for others.
MINIMUM_CUSTOMERS = 200

# The rules are read by people: few, and each about enough customers.
TREE_DEPTH = 4
TREE_LEAF_CUSTOMERS = 50

# The forest is the yardstick: as good as it gets in a bounded time. More than so many
# customers per tree, or more trees, have not judged better on the shops tried.
FOREST_TREES = 50
FOREST_DEPTH = 8
FOREST_LEAF_CUSTOMERS = 20
FOREST_TREE_CUSTOMERS = 20_000

SEED = 20240131

# Borders have at most so many digits: "> 44.1" is read, "> 44.09375" is not.
DIGITS = 3

COLUMNS = {
    "cutoff": "string",
    "learner": "string",
    "tree_number": "int64",
    "node_number": "int64",
    "depth": "int64",
    "trait_name": "string",
    "threshold": "float64",
    "left_node": "Int64",
    "right_node": "Int64",
    "is_leaf": "bool",
    "customer_count": "int64",
    "impurity": "float64",
    "low_rate": "float64",
    "medium_rate": "float64",
    "high_rate": "float64",
    "tier": "string",
    "mean_margin": "float64",
    "rule_number": "Int64",
    "condition": "string",
}


def _exponents(values: np.ndarray, digits: int) -> np.ndarray:
    """Power of ten of the last of so many digits; for 0 any does."""
    with np.errstate(divide="ignore"):
        leading = np.floor(np.log10(np.abs(values)))
    return np.where(np.isfinite(leading), leading - (digits - 1), 0).astype(int)


def _decimal(whole: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return whole x 10^exponent, the double that the decimal number reads as."""
    power = 10.0 ** np.abs(exponent)
    return np.where(exponent < 0, whole / power, whole * power)


def on_grid(values: np.ndarray) -> np.ndarray:
    """Round up to the next number of DIGITS digits.

    A border of that many digits has the same numbers at or below it before and after:
    a tree learned from the rounded numbers is right for those that were not.

    Parameters
    ----------
    values : array of float

    Returns
    -------
    array of float, same shape
    """
    exponent = _exponents(values, DIGITS)
    whole = np.ceil(_decimal(values, -exponent))
    # a product may have been rounded across a whole number
    whole = np.where(_decimal(whole - 1, exponent) >= values, whole - 1, whole)
    whole = np.where(_decimal(whole, exponent) < values, whole + 1, whole)
    return _decimal(whole, exponent) + 0.0


def roundest(low: float, high: float) -> float:
    """Find the number with the fewest digits from low on, below high.

    Parameters
    ----------
    low : float
        On the grid of `on_grid`.
    high : float
        Above low.
    """
    if low <= 0 < high:
        return 0.0
    for digits in range(1, DIGITS):
        exponent = _exponents(np.array(low), digits)
        candidate = float(_decimal(np.ceil(_decimal(low, -exponent)), exponent))
        if low <= candidate < high:
            return candidate
    return float(low)


def _border(values: np.ndarray, threshold: float) -> float:
    """Find the roundest number that parts sorted values where a threshold does."""
    # scikit-learn compares with the values in 32 bits
    above = np.searchsorted(values.astype(np.float32), threshold, side="right")
    return roundest(values[above - 1], values[above])


def tiers_of(shares: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Name the tier of customers of whom so many were of each tier.

    The tier whose share, divided by the square root of its share of everyone, is the
    largest; of equals the lower. That is half-way between the likeliest tier, which is
    low for nearly everyone where most never return, and the tier that is most above the
    usual, which calls too many high.

    Parameters
    ----------
    shares : array of float, shape (n, 3)
        Shares of low, medium and high.
    usual : array of float, shape (3,)
        The same of everyone.

    Returns
    -------
    array of int, shape (n,)
        Positions in TIERS.
    """
    weights = np.array([share**-0.5 if share > 0 else 0.0 for share in usual])
    # equal to the last bits is equal
    return np.argmax(np.round(shares * weights, 9), axis=1)


def _shares(learner, classes: np.ndarray) -> np.ndarray:
    """Shares of the three tiers in each node, whichever the learner has met."""
    shares = np.zeros((learner.node_count, len(TIERS)))
    found = learner.value[:, 0, :]
    shares[:, classes] = found / found.sum(axis=1, keepdims=True)
    return shares


def _structure(learner, classes: np.ndarray, traits: list[str]) -> pd.DataFrame:
    """One row per node of a scikit-learn tree, numbered in depth-first order."""
    shares = _shares(learner, classes)
    is_leaf = learner.children_left < 0
    depth = np.zeros(learner.node_count, dtype=int)
    for node in np.flatnonzero(~is_leaf):
        depth[learner.children_left[node]] = depth[node] + 1
        depth[learner.children_right[node]] = depth[node] + 1
    return pd.DataFrame(
        {
            "node_number": np.arange(learner.node_count),
            "depth": depth,
            "trait_name": np.where(is_leaf, None, np.array(traits)[learner.feature]),
            "threshold": np.where(is_leaf, np.nan, learner.threshold),
            "left_node": np.where(is_leaf, -1, learner.children_left),
            "right_node": np.where(is_leaf, -1, learner.children_right),
            "is_leaf": is_leaf,
            # a forest's tree counts each customer as often as it was drawn
            "customer_count": np.round(learner.weighted_n_node_samples).astype(int),
            "impurity": learner.impurity,
            "low_rate": shares[:, 0],
            "medium_rate": shares[:, 1],
            "high_rate": shares[:, 2],
        }
    )


def _pruned(nodes: pd.DataFrame, tiers: np.ndarray) -> pd.DataFrame:
    """Join leaves that part from one another without telling tiers apart.

    Returns
    -------
    DataFrame
        The nodes that are left, renumbered, with the `original` number beside.
    """
    left, right = nodes["left_node"].to_numpy(), nodes["right_node"].to_numpy()
    is_leaf = nodes["is_leaf"].to_numpy().copy()
    # children have higher numbers than their parents
    for node in range(len(nodes) - 1, -1, -1):
        if not is_leaf[node]:
            children = [left[node], right[node]]
            if is_leaf[children].all() and tiers[left[node]] == tiers[right[node]]:
                is_leaf[node] = True
    kept = [0]
    for node in kept:
        if not is_leaf[node]:
            kept += [left[node], right[node]]
    kept = np.sort(kept)
    number = np.full(len(nodes), -1)
    number[kept] = np.arange(len(kept))
    pruned = nodes.iloc[kept].reset_index(drop=True)
    ends = is_leaf[kept]
    return pruned.assign(
        original=kept,
        node_number=np.arange(len(kept)),
        is_leaf=ends,
        trait_name=pruned["trait_name"].where(~ends, None),
        threshold=pruned["threshold"].where(~ends),
        left_node=np.where(ends, -1, number[left[kept]]),
        right_node=np.where(ends, -1, number[right[kept]]),
    )


def _written(number: float) -> str:
    return np.format_float_positional(number, trim="-")


def _conditions(nodes: pd.DataFrame) -> dict[int, str]:
    """Write what leads to each leaf, one bound or two per trait.

    Returns
    -------
    dict
        Node number to text: "[days_since_last_purchase] <= 44 and [frequency] > 3";
        "everyone" if there is nothing to tell. Traits stand in brackets, so that
        readers may put other words there.
    """
    written = {}
    open_nodes = [(0, {})]
    while open_nodes:
        number, bounds = open_nodes.pop()
        node = nodes.iloc[number]
        if node["is_leaf"]:
            parts = []
            for trait, (above, up_to) in bounds.items():
                part = [] if above is None else [f"> {_written(above)}"]
                part += [] if up_to is None else [f"<= {_written(up_to)}"]
                parts.append(f"[{trait}] " + " and ".join(part))
            written[number] = " and ".join(parts) or "everyone"
            continue
        trait, threshold = node["trait_name"], node["threshold"]
        # a split lies within the bounds of those before it
        above, up_to = bounds.get(trait, (None, None))
        open_nodes.append((node["left_node"], bounds | {trait: (above, threshold)}))
        open_nodes.append((node["right_node"], bounds | {trait: (threshold, up_to)}))
    return written


def learn_tree(
    features: np.ndarray, tiers: np.ndarray, margins: np.ndarray, traits: list[str]
) -> pd.DataFrame:
    """Learn the rules.

    Parameters
    ----------
    features : array of float, shape (n, k)
        On the grid of `on_grid`.
    tiers : array of int, shape (n,)
        Positions in TIERS.
    margins : array of float, shape (n,)
    traits : list of str
        Names of the features.

    Returns
    -------
    DataFrame
        The columns of COLUMNS but `cutoff`; a row per node.
    """
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(
        max_depth=TREE_DEPTH,
        min_samples_leaf=TREE_LEAF_CUSTOMERS,
        random_state=SEED,
    ).fit(features, tiers)
    learner = tree.tree_
    nodes = _structure(learner, tree.classes_, traits)
    shares = nodes[["low_rate", "medium_rate", "high_rate"]].to_numpy()
    tier = tiers_of(shares, shares[0])
    reached = tree.decision_path(features).tocsc()
    threshold, mean_margin = nodes["threshold"].to_numpy().copy(), []
    for node in range(learner.node_count):
        members = reached.indices[reached.indptr[node] : reached.indptr[node + 1]]
        mean_margin.append(margins[members].mean())
        if not nodes["is_leaf"][node]:
            threshold[node] = _border(
                np.unique(features[members, learner.feature[node]]), threshold[node]
            )
    nodes["threshold"] = threshold
    nodes["mean_margin"] = mean_margin

    nodes = _pruned(nodes, tier)
    nodes["tier"] = np.array(TIERS)[tier[nodes.pop("original")]]
    leaves = nodes[nodes["is_leaf"]].assign(place=nodes["tier"].map(TIERS.index))
    leaves = leaves.sort_values(
        ["place", "mean_margin", "node_number"], ascending=[False, False, True]
    )
    numbers = dict(zip(leaves["node_number"], range(1, len(leaves) + 1), strict=True))
    return nodes.assign(
        learner="tree",
        tree_number=0,
        tier=nodes["tier"].where(nodes["is_leaf"]),
        rule_number=nodes["node_number"].map(numbers),
        condition=nodes["node_number"].map(_conditions(nodes)),
    )


def learn_forest(
    features: np.ndarray, tiers: np.ndarray, traits: list[str]
) -> pd.DataFrame:
    """Learn the forest; parameters and result as for `learn_tree`."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=FOREST_TREES,
        max_depth=FOREST_DEPTH,
        min_samples_leaf=FOREST_LEAF_CUSTOMERS,
        max_samples=min(len(tiers), FOREST_TREE_CUSTOMERS),
        random_state=SEED,
        n_jobs=1,
    ).fit(features, tiers)
    steps = [np.unique(features[:, feature]) for feature in range(features.shape[1])]
    trees = []
    for number, tree in enumerate(forest.estimators_, start=1):
        nodes = _structure(tree.tree_, forest.classes_, traits)
        threshold = nodes["threshold"].to_numpy().copy()
        for node in np.flatnonzero(~nodes["is_leaf"].to_numpy()):
            threshold[node] = _border(steps[tree.tree_.feature[node]], threshold[node])
        trees.append(nodes.assign(tree_number=number, threshold=threshold))
    return pd.concat(trees, ignore_index=True).assign(
        learner="forest",
        tier=None,
        mean_margin=np.nan,
        rule_number=None,
        condition=None,
    )


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        values = learned[column].to_numpy()
        exponent = _exponents(values, 10)
        # to the double that the decimal number reads as: borders stay what they are
        learned[column] = _decimal(np.round(_decimal(values, -exponent)), exponent)
    return learned


def learn(customers: pd.DataFrame) -> pd.DataFrame:
    """Learn a tree and a forest from each cutoff's customers.

    Parameters
    ----------
    customers : DataFrame
        cutoff, customer_id, margin_amount and actual_tier (what followed), and the
        traits (what was known): every other column.

    Returns
    -------
    DataFrame
        A row per node of each tree; none of a cutoff with fewer than MINIMUM_CUSTOMERS
        customers, or where all are of one tier.
    """
    traits = [column for column in customers.columns if column not in LABELS]
    customers = customers.sort_values(["cutoff", "customer_id"])
    learned = []
    for cutoff, known in customers.groupby("cutoff"):
        tiers = known["actual_tier"].map(TIERS.index).to_numpy(dtype=int)
        if len(known) < MINIMUM_CUSTOMERS or len(np.unique(tiers)) == 1:
            continue
        features = on_grid(known[traits].to_numpy(dtype=float))
        margins = known["margin_amount"].to_numpy(dtype=float)
        learned += [
            learn_tree(features, tiers, margins, traits).assign(cutoff=cutoff),
            learn_forest(features, tiers, traits).assign(cutoff=cutoff),
        ]
    if not learned:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    nodes = pd.concat([part.astype(object) for part in learned], ignore_index=True)
    for child in ("left_node", "right_node"):
        nodes[child] = nodes[child].where(nodes[child] >= 0, None)
    return rounded(nodes[list(COLUMNS)].astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Learn who will bring much at the test and the train cutoff."""
    customers = in_pandas(dbt.ref("int_value_rule_sample"))
    with LEARNING, threadpool_limits(limits=1):
        learned = learn(customers)
    return learned
