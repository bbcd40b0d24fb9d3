"""Clusters of customers: what k-means learns, and that SQL assigns as it would."""

import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import Warehouse, python_model
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

clusters = python_model("ml_customer_clusters")

TRAITS = (*clusters.LOGARITHMIC, *clusters.PLAIN)

ASSIGNED = (
    "from int_customer_clusters inner join int_customer_traits using (customer_id)"
    " where cutoff = 'live'"
)


@pytest.fixture(autouse=True)
def one_thread():
    """Threads that wait for each other slow small fits down."""
    with threadpool_limits(limits=1):
        yield


def customers(count: int, **columns) -> pd.DataFrame:
    """Customers of three kinds, as a shop has them: regulars, new and lapsed ones."""
    random = np.random.default_rng(20240131)
    kind = random.integers(0, 3, count)

    def of_kind(regular, new, lapsed):
        return np.choose(kind, [regular, new, lapsed])

    def spread(size):
        return random.lognormal(0, size, count)

    table = {
        "customer_id": [f"c{number:05}" for number in range(count)],
        "frequency": random.poisson(of_kind(20, 0.2, 1)).astype(float),
        "days_since_last_purchase": np.floor(of_kind(15, 20, 500) * spread(0.3)),
        "age_days": np.floor(of_kind(600, 40, 700) * spread(0.2)),
        "mean_purchase_amount": 50 * spread(0.5),
        "margin_rate": random.uniform(0.2, 0.6, count),
        "gap_variation": of_kind(0.5, 1.0, 1.0) * spread(0.1),
        "main_channel_rate": random.uniform(0, 1, count),
        "satisfaction_score": random.uniform(0, 10, count),
    }
    return pd.DataFrame(table | columns)


def in_use(learned: pd.DataFrame) -> pd.DataFrame:
    return learned[learned["is_chosen"]]


def per_count(learned: pd.DataFrame) -> pd.DataFrame:
    return learned.drop_duplicates("cluster_count").set_index("cluster_count")


@pytest.fixture(scope="module")
def learned() -> pd.DataFrame:
    return clusters.learn(customers(600), 10)


def test_three_kinds_of_customers_are_three_clusters(learned):
    chosen = in_use(learned)
    assert chosen["cluster_count"].unique().tolist() == [3]
    measures = chosen.iloc[0]
    assert measures["rand_index_seeds"] > 0.99
    assert measures["rand_index_halves"] > 0.95
    centroids = chosen.pivot(index="cluster_number", columns="trait", values="centroid")
    signs = {
        tuple(np.sign(row[["frequency", "days_since_last_purchase", "age_days"]]))
        for _, row in centroids.iterrows()
    }
    assert signs == {(1, -1, 1), (-1, -1, -1), (-1, 1, 1)}


def test_the_scale_is_that_of_scikit_learn():
    table = customers(500)
    scale = clusters.scales(table).set_index("trait")
    values = table[list(TRAITS)].copy()
    values[list(clusters.LOGARITHMIC)] = np.log1p(values[list(clusters.LOGARITHMIC)])
    scaler = StandardScaler().fit(values)
    assert list(scale.index) == list(TRAITS)
    assert scale["mean"].to_numpy() == pytest.approx(scaler.mean_, rel=1e-9)
    assert scale["standard_deviation"].to_numpy() == pytest.approx(
        scaler.scale_, rel=1e-9
    )
    points = clusters.standardised(table, scale.reset_index())
    assert points == pytest.approx(np.clip(scaler.transform(values), -3, 3), abs=1e-8)
    assert np.abs(points).max() == 3


def test_traits_in_which_customers_hardly_differ_are_left_out():
    table = customers(
        200,
        margin_rate=1.0,
        satisfaction_score=0.0,
        # days by 7 % either way; shares of the main channel by a point
        age_days=500.0 + 70 * (np.arange(200) % 2),
        main_channel_rate=0.5 + 0.02 * (np.arange(200) % 2),
    )
    scale = clusters.scales(table)
    assert scale["trait"].tolist() == [
        "frequency",
        "days_since_last_purchase",
        "mean_purchase_amount",
        "gap_variation",
    ]
    learned = clusters.learn(table, 10)
    assert set(learned["trait"]) == set(scale["trait"])


def test_the_nearest_centroid_is_the_one_that_scikit_learn_predicts():
    random = np.random.default_rng(1)
    points = random.normal(size=(500, 4))
    fit = KMeans(5, n_init=1, random_state=1).fit(points)
    positions, squared = clusters.nearest(points, fit.cluster_centers_)
    assert positions.tolist() == fit.predict(points).tolist()
    assert squared.sum() == pytest.approx(fit.inertia_)


def test_of_equally_near_centroids_the_first_is_taken():
    centroids = np.array([[0.0, 0], [2, 0]])
    assert clusters.nearest(np.array([[1.0, 0]]), centroids)[0].tolist() == [0]
    assert clusters.nearest(np.array([[1.0, 0]]), centroids[::-1])[0].tolist() == [0]


def test_measures_are_those_of_scikit_learn_and_of_the_definitions(learned):
    table = customers(600)
    table = table.iloc[clusters.hash_order(table["customer_id"])]
    points = clusters.standardised(table, clusters.scales(table))
    for cluster_count, row in per_count(learned).iterrows():
        fits = [
            KMeans(
                cluster_count, n_init=clusters.STARTS_PER_SEED, random_state=seed
            ).fit(points)
            for seed in clusters.SEEDS
        ]
        best = min(fits, key=lambda fit: fit.inertia_)
        assert row["silhouette"] == pytest.approx(
            silhouette_score(points, best.labels_), rel=1e-9
        )
        assert row["explained_rate"] == pytest.approx(
            1 - best.inertia_ / (points.var(axis=0).sum() * len(points)), rel=1e-6
        )
        pairs = [
            adjusted_rand_score(fits[one].labels_, fits[other].labels_)
            for one in range(5)
            for other in range(one)
        ]
        assert row["rand_index_seeds"] == pytest.approx(np.mean(pairs), abs=1e-9)


def test_halves_of_a_shop_without_kinds_do_not_agree():
    """Points evenly on a sphere can be cut anywhere."""
    random = np.random.default_rng(3)
    points = random.normal(size=(400, 8))
    points /= np.linalg.norm(points, axis=1)[:, np.newaxis]
    _, measures = clusters.tried(points, 2)
    assert measures["rand_index_halves"] < 0.5
    kinds = np.repeat(np.eye(8)[:2] * 9, 200, axis=0)[random.permutation(400)]
    _, measures = clusters.tried(points + kinds, 2)
    assert measures["rand_index_halves"] == 1
    assert measures["rand_index_seeds"] == 1
    assert measures["silhouette"] > 0.7


def trials(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(
        rows,
        columns=[
            "cluster_count",
            "silhouette",
            "rand_index_seeds",
            "rand_index_halves",
        ],
    )


def test_the_highest_silhouette_of_the_stable_ones_is_chosen():
    assert (
        clusters.chosen(
            trials(
                (2, 0.9, 0.7, 0.9), (3, 0.3, 0.8, 0.8), (4, 0.2, 1, 1), (5, 0.8, 1, 0.5)
            )
        )
        == 3
    )


def test_of_equal_silhouettes_fewer_clusters_are_chosen():
    assert clusters.chosen(trials((5, 0.3, 1, 1), (4, 0.3, 1, 1))) == 4


def test_where_none_is_stable_the_one_found_again_best_is_chosen():
    assert (
        clusters.chosen(
            trials((2, 0.9, 0.9, 0.1), (3, 0.3, 0.5, 0.6), (4, 0.2, 0.4, 0.9))
        )
        == 3
    )


def test_clusters_are_numbered_by_size(learned):
    sizes = per_count(learned[["cluster_count"]]).index
    for cluster_count in sizes:
        of_count = learned[learned["cluster_count"] == cluster_count]
        counts = of_count.groupby("cluster_number")["cluster_customer_count"].first()
        assert counts.is_monotonic_decreasing
        assert counts.sum() == 600
        assert counts.index.tolist() == list(range(1, cluster_count + 1))


def test_clusters_of_one_size_are_numbered_by_their_coordinates():
    points = np.array([[3.0, 1], [3, 0], [1, 5], [9, 9], [9, 9]])
    centroids = points[[0, 1, 2, 3]]
    expected = [[9, 9], [1, 5], [3, 0], [3, 1]]
    assert clusters.numbered(points, centroids).tolist() == expected
    assert clusters.numbered(points, centroids[::-1]).tolist() == expected


def test_a_division_with_too_small_a_cluster_is_left_out():
    table = customers(600)
    twenty = table.index < 20
    table.loc[twenty, "margin_rate"] = -1.0
    table.loc[twenty, "mean_purchase_amount"] = 1e6
    table.loc[twenty, "satisfaction_score"] = 0.0
    every = clusters.learn(table, 1)
    smallest = every.groupby("cluster_count")["cluster_customer_count"].min()
    assert (smallest < 50).any()
    kept = clusters.learn(table, 50)
    assert set(kept["cluster_count"]) == set(smallest[smallest >= 50].index)
    assert kept["is_chosen"].any()
    assert len(clusters.learn(table, 601)) == 0


def test_the_order_of_customers_plays_no_part(learned):
    shuffled = customers(600).sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        learned, clusters.learn(shuffled, 10), check_exact=True
    )


def test_a_few_strange_customers_get_no_cluster_of_their_own():
    table = customers(600)
    table.loc[:2, "mean_purchase_amount"] = 1e9
    table.loc[:2, "frequency"] = 1e5
    chosen = in_use(clusters.learn(table, 1))
    assert chosen["cluster_customer_count"].min() > 100


def test_fewer_than_a_hundred_customers_teach_nothing():
    assert len(clusters.learn(customers(99), 10)) == 0
    assert len(clusters.learn(customers(100), 10)) > 0
    empty = clusters.learn(customers(0), 10)
    assert dict(empty.dtypes) == dict(clusters.learn(customers(100), 10).dtypes)


@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_customers_of_few_kinds_teach_no_more_clusters_than_kinds(kinds):
    table = customers(300)
    for trait in TRAITS:
        table[trait] = (np.arange(300) % kinds).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned = clusters.learn(table, 10)
    if kinds == 1:
        assert len(learned) == 0
    else:
        assert learned["cluster_count"].max() == kinds
        assert per_count(learned).loc[kinds, "explained_rate"] == pytest.approx(1)


def test_what_is_learned_has_no_gaps(learned):
    assert learned.notna().all().all()
    assert learned.columns.tolist() == list(clusters.COLUMNS)


def test_large_shops_are_tried_on_a_part_and_settled_on_everyone(monkeypatch):
    monkeypatch.setattr(clusters, "TRIAL_CUSTOMERS", 200)
    learned = clusters.learn(customers(600), 10)
    chosen = in_use(learned)
    assert chosen["customer_count"].unique().tolist() == [600]
    by_cluster = chosen.groupby("cluster_number")["cluster_customer_count"].first()
    assert by_cluster.sum() == 600
    table = customers(600)
    points = clusters.standardised(table, clusters.scales(table))
    centroids = chosen["centroid"].to_numpy().reshape(len(by_cluster), -1)
    labels = clusters.nearest(points, centroids)[0]
    for number, centroid in enumerate(centroids):
        assert points[labels == number].mean(axis=0) == pytest.approx(
            centroid, abs=0.01
        )


def test_sql_assigns_the_cluster_that_scikit_learn_predicts(demo: Warehouse):
    columns = ", ".join(TRAITS)
    known = pd.DataFrame(
        demo.query(
            f"select customer_id, cluster_number, {columns}"
            f" {ASSIGNED} order by customer_id"
        ),
        columns=["customer_id", "cluster_number", *TRAITS],
    )
    assert (
        len(known)
        == demo.query(
            "select count(*) from int_customer_features where cutoff = 'live'"
        )[0][0]
    )
    names = ["cluster_number", "trait", "is_logarithm", "mean", "deviation", "centroid"]
    learned = pd.DataFrame(
        demo.query(
            "select cluster_number, trait, is_logarithm, mean, standard_deviation,"
            " centroid from learned.ml_customer_clusters where is_chosen"
        ),
        columns=names,
    )
    scale = learned[learned["cluster_number"] == 1].set_index("trait")
    values = known[list(scale.index)].astype(float)
    logarithmic = scale.index[scale["is_logarithm"]]
    values[logarithmic] = np.log1p(values[logarithmic])
    points = np.clip((values - scale["mean"]) / scale["deviation"], -3, 3).to_numpy()
    centroids = learned.pivot(
        index="cluster_number", columns="trait", values="centroid"
    )[scale.index].to_numpy()
    reference = KMeans(len(centroids), init=centroids, n_init=1, max_iter=1).fit(points)
    reference.cluster_centers_ = centroids
    assert known["cluster_number"].tolist() == (reference.predict(points) + 1).tolist()
    # the demo shop is smaller than the sample, so that everyone was learned from
    assert demo.query(
        "select cluster_number, customer_count from dim_clusters order by 1"
    ) == demo.query(
        "select distinct cluster_number, cluster_customer_count"
        " from learned.ml_customer_clusters where is_chosen order by 1"
    )


def test_names_of_clusters_are_true_of_their_mean_traits(demo: Warehouse):
    means = ", ".join(f"avg({trait})" for trait in TRAITS)
    (average,) = demo.query(f"select {means} {ASSIGNED}")
    words = dict(
        (word, (trait, sign))
        for trait, above, below in demo.query(
            "select trait, above_words, below_words from trait_words"
            " where above_words is not null"
        )
        for word, sign in ((above, 1), (below, -1))
    )
    named = demo.query(
        f"select cluster_name, {means} {ASSIGNED} group by cluster_name order by 1"
    )
    assert len(named) >= 2
    for name, *of_cluster in named:
        for word in name.split(", "):
            trait, sign = words[word]
            position = TRAITS.index(trait)
            assert sign * (of_cluster[position] - average[position]) > 0, (name, word)
