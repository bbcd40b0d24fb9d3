"""Groups of customers who are alike, by k-means on their standardised traits."""

import threading
from hashlib import md5
from itertools import combinations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

# Amounts and times differ by factors, so that their logarithms are compared: ln(1 + x).
LOGARITHMIC = (
    "frequency",
    "days_since_last_purchase",
    "age_days",
    "mean_purchase_amount",
)
PLAIN = ("margin_rate", "gap_variation", "main_channel_rate", "satisfaction_score")

# Customers who differ less (by a tenth; by five points of a rate) are all the same: to
# standardise such a trait would blow its noise up to the size of the others.
LEAST_LOG_DEVIATION = 0.1
LEAST_DEVIATION = 0.05

# Beyond so many standard deviations more is no longer further off. K-means squares
# distances: without it a few strange customers would get a cluster of their own.
DEVIATION_LIMIT = 3.0

# Fewer buyers are too few to divide.
MINIMUM_CUSTOMERS = 100
CLUSTER_COUNTS = range(2, 9)

# Stability asks for many fits, and the silhouette for all pairs of customers: the first
# so many, by a hash of the id, are enough. The centroids then settle on everyone.
TRIAL_CUSTOMERS = 10_000
SILHOUETTE_CUSTOMERS = 5_000
SEEDS = (1, 2, 3, 4, 5)
STARTS_PER_SEED = 5

# From this adjusted Rand index on two partitions are taken for the same one.
STABLE_RAND_INDEX = 0.8

COLUMNS = {
    "cluster_count": "int64",
    "cluster_number": "int64",
    "trait": "string",
    "is_logarithm": "bool",
    "mean": "float64",
    "standard_deviation": "float64",
    "deviation_limit": "float64",
    "centroid": "float64",
    "cluster_customer_count": "int64",
    "customer_count": "int64",
    "silhouette": "float64",
    "rand_index_seeds": "float64",
    "rand_index_halves": "float64",
    "explained_rate": "float64",
    "is_chosen": "bool",
}


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        values = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 9)
            learned[column] = np.where(values == 0, 0.0, np.round(values / unit) * unit)
    return learned


def hash_order(customer_ids: pd.Series) -> np.ndarray:
    """Positions of customers sorted by a hash of the id: as good as drawn by lot."""
    hashes = [
        md5(str(customer_id).encode()).hexdigest() for customer_id in customer_ids
    ]
    return np.lexsort((customer_ids.to_numpy(dtype=str), np.array(hashes, dtype=str)))


def scales(customers: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation of each trait in which customers differ.

    Parameters
    ----------
    customers : DataFrame
        A column per trait, in its own unit.

    Returns
    -------
    DataFrame
        trait, is_logarithm, mean and standard_deviation (of ln(1 + x) where
        is_logarithm), without traits that hardly vary.
    """
    rows = []
    for trait in (*LOGARITHMIC, *PLAIN):
        is_logarithm = trait in LOGARITHMIC
        values = customers[trait].to_numpy(dtype=float)
        if is_logarithm:
            values = np.log1p(np.maximum(values, 0))
        deviation = values.std()
        if deviation >= (LEAST_LOG_DEVIATION if is_logarithm else LEAST_DEVIATION):
            rows.append((trait, is_logarithm, values.mean(), deviation))
    columns = ["trait", "is_logarithm", "mean", "standard_deviation"]
    return rounded(
        pd.DataFrame(rows, columns=columns).astype(
            {name: COLUMNS[name] for name in columns}
        )
    )


def standardised(customers: pd.DataFrame, scale: pd.DataFrame) -> np.ndarray:
    """Traits in standard deviations from their means, held within the limit.

    Returns
    -------
    array of float, shape (customers, traits)
    """
    points = np.empty((len(customers), len(scale)))
    for position, row in enumerate(scale.itertuples()):
        values = customers[row.trait].to_numpy(dtype=float)
        if row.is_logarithm:
            values = np.log1p(np.maximum(values, 0))
        points[:, position] = (values - row.mean) / row.standard_deviation
    return np.clip(points, -DEVIATION_LIMIT, DEVIATION_LIMIT)


def nearest(points: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest centroid of each point, the first of equally near ones.

    Returns
    -------
    positions : array of int, shape (points,)
    squared_distances : array of float, shape (points,)
    """
    distances = np.stack(
        [((points - centroid) ** 2).sum(axis=1) for centroid in centroids], axis=1
    )
    return distances.argmin(axis=1), distances.min(axis=1)


def k_means(points: np.ndarray, cluster_count: int) -> list:
    """Fit k-means once per seed, each time keeping the best of several starts.

    Returns
    -------
    list of sklearn.cluster.KMeans
        The one with the smallest squared distances first.
    """
    from sklearn.cluster import KMeans

    fits = [
        KMeans(cluster_count, n_init=STARTS_PER_SEED, random_state=seed).fit(points)
        for seed in SEEDS
    ]
    return sorted(fits, key=lambda fit: fit.inertia_)


def tried(
    points: np.ndarray, cluster_count: int
) -> tuple[np.ndarray, dict[str, float]]:
    """Divide customers into so many clusters, and see if the division holds.

    Parameters
    ----------
    points : array of float, shape (customers, traits)
        In an order that has nothing to do with the traits; at least twice as many
        different ones in either half as there are clusters.

    Returns
    -------
    centroids : array of float, shape (cluster_count, traits)
        Those of the seed with the smallest squared distances.
    measures : dict
        silhouette : mean over customers of (b - a) / max(a, b), a = mean distance to
            the others of the own cluster, b = to those of the next one; -1..1.
        rand_index_seeds : mean adjusted Rand index between the seeds' partitions.
        rand_index_halves : the index between the partitions of everyone that either
            half of the customers teaches.

    Notes
    -----
    Rousseeuw 1987 (silhouette); Hubert & Arabie 1985 (adjusted Rand index: 1 = the same
    partition, 0 = no more alike than by chance).
    """
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    fits = k_means(points, cluster_count)
    best = fits[0]
    half = len(points) // 2
    by_half = [
        nearest(points, k_means(part, cluster_count)[0].cluster_centers_)[0]
        for part in (points[:half], points[half:])
    ]
    labels = best.labels_[:SILHOUETTE_CUSTOMERS]
    measures = {
        "silhouette": float(silhouette_score(points[:SILHOUETTE_CUSTOMERS], labels))
        if len(set(labels)) > 1
        else np.nan,
        "rand_index_seeds": float(
            np.mean(
                [
                    adjusted_rand_score(one.labels_, other.labels_)
                    for one, other in combinations(fits, 2)
                ]
            )
        ),
        "rand_index_halves": float(adjusted_rand_score(*by_half)),
    }
    return best.cluster_centers_, measures


def settled(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Centroids learned from some customers, moved on until they fit all of them."""
    from sklearn.cluster import KMeans

    return KMeans(len(centroids), init=centroids, n_init=1).fit(points).cluster_centers_


def tabulated(
    points: np.ndarray, centroids: np.ndarray, scale: pd.DataFrame
) -> pd.DataFrame:
    """Make a row per cluster and trait: scale, centroid, number of customers."""
    cluster_count = len(centroids)
    numbers = pd.DataFrame({"cluster_number": np.arange(1, cluster_count + 1)})
    table = numbers.merge(scale, how="cross")
    table["centroid"] = numbered(points, centroids).ravel()
    # SQL has the rounded ones
    settled_on = rounded(table)["centroid"].to_numpy().reshape(centroids.shape)
    labels, distances = nearest(points, settled_on)
    sizes = np.bincount(labels, minlength=cluster_count)
    table["cluster_count"] = cluster_count
    table["cluster_customer_count"] = np.repeat(sizes, len(scale))
    spread = ((points - points.mean(axis=0)) ** 2).sum()
    table["explained_rate"] = 1 - distances.sum() / spread
    return table


def numbered(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Centroids by falling number of customers; of equal ones by their coordinates."""
    sizes = np.bincount(nearest(points, centroids)[0], minlength=len(centroids))
    return centroids[np.lexsort((*centroids.T[::-1], -sizes))]


def chosen(trials: pd.DataFrame) -> int:
    """Choose the number of clusters to use.

    The highest silhouette among the stable ones: those that other seeds, and either
    half of the customers, find again. If none is, the one that is found again best. Of
    equal ones the smaller number.

    Parameters
    ----------
    trials : DataFrame
        A row per cluster_count, with its silhouette and both Rand indices.
    """
    trials = trials.sort_values("cluster_count").set_index("cluster_count")
    stability = trials[["rand_index_seeds", "rand_index_halves"]].min(axis=1)
    stable = trials["silhouette"][stability >= STABLE_RAND_INDEX].dropna()
    return int((stable if len(stable) else stability).idxmax())


def learn(customers: pd.DataFrame, minimum_cluster_customers: int) -> pd.DataFrame:
    """Divide customers into clusters, in each number that may be.

    Parameters
    ----------
    customers : DataFrame
        customer_id and the traits in their own units.
    minimum_cluster_customers : int
        Divisions in which a cluster has fewer are left out.

    Returns
    -------
    DataFrame
        A row per number of clusters, cluster and trait; none if there are fewer than
        MINIMUM_CUSTOMERS customers, or they do not differ.
    """
    nothing = pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)
    if len(customers) < MINIMUM_CUSTOMERS:
        return nothing
    customers = customers.iloc[hash_order(customers["customer_id"])]
    scale = scales(customers)
    if scale.empty:
        return nothing
    points = standardised(customers, scale)
    trial_points = points[:TRIAL_CUSTOMERS]
    half = len(trial_points) // 2
    different = min(
        len(np.unique(part, axis=0))
        for part in (trial_points[:half], trial_points[half:])
    )
    # imported before the limit, which binds only what is loaded by then; costs seconds
    import sklearn.cluster
    import sklearn.metrics  # noqa: F401

    with threadpool_limits(limits=1):
        tables, trials = [], []
        for cluster_count in CLUSTER_COUNTS:
            if cluster_count > different:
                break
            centroids, measures = tried(trial_points, cluster_count)
            table = tabulated(points, settled(points, centroids), scale)
            if table["cluster_customer_count"].min() >= minimum_cluster_customers:
                tables.append(table)
                trials.append({"cluster_count": cluster_count, **measures})
    if not trials:
        return nothing

    trials = pd.DataFrame(trials)
    trials["is_chosen"] = trials["cluster_count"] == chosen(trials)
    learned = pd.concat(tables).merge(trials, on="cluster_count")
    learned["deviation_limit"] = DEVIATION_LIMIT
    learned["customer_count"] = len(customers)
    return rounded(learned[list(COLUMNS)].astype(COLUMNS).reset_index(drop=True))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Learn clusters from the buyers of the live cutoff."""
    customers = in_pandas(dbt.ref("int_cluster_sample"))
    minimum = int(dbt.config.meta_get("segment_minimum_customers"))
    with LEARNING:
        learned = learn(customers, minimum)
    return learned
