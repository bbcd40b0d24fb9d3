"""Value rules: the tree, the forest, and the tables that judge them."""

import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import python_model
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
)
from sklearn.tree import DecisionTreeClassifier

rules = python_model("ml_value_model")
votes = python_model("ml_value_forest_tiers")

TRAITS = ["frequency", "days_since_last_purchase", "margin_rate", "contract_days"]
RATES = ["low_rate", "medium_rate", "high_rate"]


def customers(count: int, seed: int = 20240131, **columns) -> pd.DataFrame:
    """Customers whose margin follows their frequency and silence, with much noise."""
    random = np.random.default_rng(seed)
    frequency = random.poisson(2, count).astype(float)
    silence = np.round(random.gamma(2, 60, count))
    margin = np.where(
        random.random(count) < 0.7 * np.exp(-silence / 150),
        random.gamma(2, 5 + 10 * frequency),
        0,
    )
    share = pd.Series(margin).rank(ascending=False, method="max", pct=True)
    table = {
        "cutoff": "train",
        "customer_id": [f"c{number:06}" for number in range(count)],
        "frequency": frequency,
        "days_since_last_purchase": silence,
        "margin_rate": random.uniform(-0.2, 0.9, count),
        "contract_days": 0.0,
        "margin_amount": margin,
        "actual_tier": np.select(
            [margin <= 0, share <= 0.1, share <= 0.4], ["low", "high", "medium"], "low"
        ),
    }
    return pd.DataFrame(table | columns)


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    return customers(3000)


@pytest.fixture(scope="module")
def learned(sample) -> pd.DataFrame:
    return rules.learn(sample)


def reached(nodes: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Walk one tree by the rules of its table, customer by customer."""
    by_number = nodes.set_index("node_number").to_dict("index")
    ends = []
    for customer in table.to_dict("records"):
        number = 0
        while not by_number[number]["is_leaf"]:
            node = by_number[number]
            goes_left = customer[node["trait_name"]] <= node["threshold"]
            number = node["left_node" if goes_left else "right_node"]
        ends.append(number)
    return np.array(ends)


def codes(tiers: pd.Series) -> np.ndarray:
    return tiers.map(rules.TIERS.index).to_numpy()


# -- Numbers that people read ---------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "up"),
    [
        (0.0, 0.0),
        (1.0, 1.0),
        (0.29, 0.29),
        (0.2900000000000001, 0.291),
        (1234.0, 1240.0),
        (1230.0, 1230.0),
        (999.5, 1000.0),
        (44.09375, 44.1),
        (-0.45678, -0.456),
        (-1.0, -1.0),
        (1e-7, 1e-7),
        (123456789.0, 124000000.0),
    ],
)
def test_numbers_are_rounded_up_to_three_digits(number, up):
    assert rules.on_grid(np.array([number]))[0] == up


def test_a_border_of_three_digits_has_the_same_numbers_below_it_after_rounding_up():
    random = np.random.default_rng(1)
    values = np.concatenate(
        [random.normal(0, 10.0**power, 2000) for power in range(-4, 7)]
        + [np.arange(2000) / 1000, np.arange(2000.0)]
    )
    up = rules.on_grid(values)
    assert (up >= values).all()
    for border in np.unique(up)[::50]:
        assert ((values <= border) == (up <= border)).all()


@pytest.mark.parametrize(
    ("low", "high", "round_number"),
    [
        (43, 45, 43),
        (44, 52, 50),
        (2, 3, 2),
        (0, 1, 0),
        (-0.2, 0.3, 0),
        (0.333, 0.512, 0.4),
        (118, 121, 120),
        (119, 120, 119),
        (-0.456, -0.391, -0.4),
        (1230, 1260, 1230),
        (1230, 1360, 1300),
        (97, 104, 100),
    ],
)
def test_a_border_is_the_roundest_number_between_two_values(low, high, round_number):
    assert rules.roundest(float(low), float(high)) == round_number


# -- The tree -------------------------------------------------------------------------


def test_the_tree_is_that_of_scikit_learn(sample, learned):
    tree = DecisionTreeClassifier(
        max_depth=4, min_samples_leaf=50, random_state=rules.SEED
    ).fit(rules.on_grid(sample[TRAITS].to_numpy()), codes(sample["actual_tier"]))
    fresh = customers(1000, seed=5)
    nodes = learned[learned["learner"] == "tree"].set_index("node_number")
    # pruned leaves hold several of scikit-learn's, all of which are called the same
    shares = tree.predict_proba(rules.on_grid(fresh[TRAITS].to_numpy()))
    usual = sample["actual_tier"].value_counts(normalize=True)[list(rules.TIERS)]
    expected = np.argmax(shares / np.sqrt(usual.to_numpy()), axis=1)
    ends = reached(learned[learned["learner"] == "tree"], fresh)
    # the same answer, but where a border was moved within the gap that the sample left
    assert np.mean(codes(nodes.loc[ends, "tier"]) == expected) > 0.995
    ends = reached(learned[learned["learner"] == "tree"], sample)
    shares = tree.predict_proba(rules.on_grid(sample[TRAITS].to_numpy()))
    expected = np.argmax(shares / np.sqrt(usual.to_numpy()), axis=1)
    assert (codes(nodes.loc[ends, "tier"]) == expected).all()


def test_a_leaf_counts_who_comes_there(sample, learned):
    tree = learned[learned["learner"] == "tree"]
    ends = pd.Series(reached(tree, sample), name="node_number")
    leaves = tree[tree["is_leaf"]].set_index("node_number")
    counted = sample.groupby(ends.to_numpy())
    assert counted.size().to_dict() == leaves["customer_count"].to_dict()
    assert counted["margin_amount"].mean().to_numpy() == pytest.approx(
        leaves["mean_margin"].to_numpy(), rel=1e-9
    )
    for tier in rules.TIERS:
        share = counted["actual_tier"].agg(
            lambda found, tier=tier: (found == tier).mean()
        )
        assert share.to_numpy() == pytest.approx(
            leaves[f"{tier}_rate"].to_numpy(), abs=1e-9
        )


def test_rules_are_few_short_and_about_enough_customers(learned):
    tree = learned[learned["learner"] == "tree"]
    assert tree["depth"].max() <= 4
    assert tree["customer_count"].min() >= 50
    children = tree.set_index("node_number")
    for node in tree[~tree["is_leaf"]].to_dict("records"):
        sides = children.loc[[node["left_node"], node["right_node"]]]
        assert not sides["is_leaf"].all() or sides["tier"].nunique() == 2


def test_rules_are_numbered_from_the_best(learned):
    leaves = learned[(learned["learner"] == "tree") & learned["is_leaf"]]
    leaves = leaves.sort_values("rule_number")
    assert list(leaves["rule_number"]) == list(range(1, len(leaves) + 1))
    order = [
        (-rules.TIERS.index(tier), -margin)
        for tier, margin in zip(leaves["tier"], leaves["mean_margin"], strict=True)
    ]
    assert order == sorted(order)


def test_a_condition_says_who_comes_to_the_leaf(sample, learned):
    tree = learned[learned["learner"] == "tree"]
    ends = reached(tree, sample)
    for leaf in tree[tree["is_leaf"]].to_dict("records"):
        meets = np.ones(len(sample), dtype=bool)
        trait = None
        for part in leaf["condition"].split(" and "):
            if part.startswith("["):
                trait, part = part[1:].split("] ")
            comparison, border = part.split(" ")
            value = sample[trait].to_numpy()
            meets &= (
                value > float(border) if comparison == ">" else value <= float(border)
            )
        assert (meets == (ends == leaf["node_number"])).all(), leaf["condition"]


def test_bounds_of_a_trait_are_merged():
    nodes = pd.DataFrame(
        [
            {"trait_name": "a", "threshold": 10.0, "left_node": 1, "right_node": 6},
            {"trait_name": "b", "threshold": 0.5, "left_node": 2, "right_node": 5},
            {"trait_name": "a", "threshold": 3.0, "left_node": 3, "right_node": 4},
            *[{"trait_name": None}] * 4,
        ]
    )
    nodes["is_leaf"] = nodes["trait_name"].isna()
    nodes[["left_node", "right_node"]] = (
        nodes[["left_node", "right_node"]].fillna(-1).astype(int)
    )
    assert rules._conditions(nodes) == {
        3: "[a] <= 3 and [b] <= 0.5",
        4: "[a] > 3 and <= 10 and [b] <= 0.5",
        5: "[a] <= 10 and [b] > 0.5",
        6: "[a] > 10",
    }
    assert rules._conditions(nodes.iloc[3:4].assign(node_number=0)) == {0: "everyone"}


def test_a_tier_is_chosen_half_way_between_likely_and_unusual():
    # weights 1 / sqrt(.64, .27, .09) = 1.25, 1.92, 3.33
    usual = np.array([0.64, 0.27, 0.09])
    shares = np.array(
        [
            [0.7, 0.2, 0.1],  # .875, .385, .333
            [0.5, 0.2, 0.3],  # .625, .385, 1
            [0.5, 0.4, 0.1],  # .625, .770, .333
            [0.8, 0.0, 0.3],  # 1, 0, 1: equals are low
        ]
    )
    assert list(rules.tiers_of(shares, usual)) == [0, 2, 1, 0]
    # a tier that nobody was in is never chosen
    assert list(rules.tiers_of(np.array([[1.0, 0, 0]]), np.array([1.0, 0, 0]))) == [0]


# -- The forest -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def reference(sample) -> RandomForestClassifier:
    return RandomForestClassifier(
        n_estimators=50,
        max_depth=8,
        min_samples_leaf=20,
        max_samples=len(sample),
        random_state=rules.SEED,
    ).fit(rules.on_grid(sample[TRAITS].to_numpy()), codes(sample["actual_tier"]))


def test_the_votes_are_those_of_scikit_learn(sample, learned, reference):
    forest = votes.Forest(learned)
    shares = forest.shares(sample[forest.traits].to_numpy())
    expected = reference.predict_proba(rules.on_grid(sample[TRAITS].to_numpy()))
    assert shares == pytest.approx(expected, abs=1e-9)


def test_the_forest_names_tiers_as_the_tree_does(sample, learned, reference):
    forest = votes.Forest(learned)
    tiers, rate = forest.tiers(sample[forest.traits].to_numpy())
    expected = reference.predict_proba(rules.on_grid(sample[TRAITS].to_numpy()))
    usual = sample["actual_tier"].value_counts(normalize=True)[list(rules.TIERS)]
    best = rules.tiers_of(expected, usual.to_numpy())
    assert list(tiers) == [rules.TIERS[tier] for tier in best]
    assert rate == pytest.approx(expected[np.arange(len(best)), best], abs=1e-9)


def scored(table: pd.DataFrame, learned: pd.DataFrame) -> pd.DataFrame:
    """Score a table as dbt does: inside a transaction, other tables committed."""
    with duckdb.connect() as session:
        session.register("traits", table.assign(mean_purchase_amount=10.0))
        session.execute("create table int_customer_traits as from traits")
        session.execute("begin")
        known = session.query("select * from int_customer_traits")
        found = votes.score(session, learned, known)
        return found.df().sort_values(["cutoff", "customer_id"], ignore_index=True)


def test_batches_say_what_all_at_once_would(learned, monkeypatch):
    monkeypatch.setattr(votes, "BATCH_VECTORS", 1)
    fresh = customers(5000, seed=7, cutoff="live")
    table = scored(fresh, learned)
    forest = votes.Forest(learned)
    tiers, rate = forest.tiers(fresh[forest.traits].to_numpy())
    assert list(table["customer_id"]) == list(fresh["customer_id"])
    assert list(table["forest_tier"]) == list(tiers)
    assert list(table["forest_tier_rate"]) == list(rate)
    assert set(table["cutoff"]) == {"live"}


def test_each_cutoff_is_asked_what_the_window_before_taught(sample):
    earlier = customers(1000, seed=3, cutoff="test")
    learned = rules.learn(pd.concat([earlier, sample]))
    known = pd.concat(
        customers(500, seed=9, cutoff=cutoff) for cutoff in ("test", "train", "live")
    )
    table = scored(known, learned)
    assert table["cutoff"].value_counts().to_dict() == {"live": 500, "train": 500}
    for learned_at, asked_at in votes.ASKED_AT.items():
        forest = votes.Forest(learned[learned["cutoff"] == learned_at])
        people = known[known["cutoff"] == asked_at]
        expected = forest.tiers(people[forest.traits].to_numpy())[1]
        found = table.loc[table["cutoff"] == asked_at, "forest_tier_rate"]
        assert list(found) == list(expected)


def test_who_never_bought_is_not_scored(learned):
    with duckdb.connect() as session:
        never = customers(100, cutoff="live").assign(mean_purchase_amount=0.0)
        session.register("never", never)
        session.execute("create table traits as from never")
        found = votes.score(session, learned, session.query("select * from traits"))
        assert len(found.df()) == 0


def test_without_a_forest_there_are_columns_and_no_rows(sample):
    table = scored(sample, rules.learn(sample.head(50)))
    assert list(table.columns) == list(votes.COLUMNS)
    assert len(table) == 0


# -- What is given to learn from ------------------------------------------------------


def test_the_order_of_customers_plays_no_part(sample, learned):
    shuffled = sample.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(rules.learn(shuffled), learned, check_exact=True)


def test_two_hundred_customers_and_two_tiers_are_needed():
    assert len(rules.learn(customers(199))) == 0
    assert len(rules.learn(customers(200))) > 0
    assert len(rules.learn(customers(500, actual_tier="low"))) == 0
    empty = rules.learn(customers(200).head(0))
    assert list(empty.columns) == list(rules.COLUMNS)
    full = rules.learn(customers(200))
    assert (empty.dtypes == full.dtypes).all()


@pytest.mark.parametrize("tiers", [("low", "high"), ("low", "medium")])
def test_a_tier_that_nobody_was_in_has_no_share(tiers):
    table = customers(400)
    table["actual_tier"] = np.where(table["actual_tier"] == "low", *tiers)
    learned = rules.learn(table)
    missing = ({"low", "medium", "high"} - set(tiers)).pop()
    assert (learned[f"{missing}_rate"] == 0).all()
    assert learned[RATES].sum(axis=1).to_numpy() == pytest.approx(1)
    assert len(votes.Forest(learned).tiers(np.zeros((2, 3)))[0]) == 2


def test_customers_who_are_all_alike_are_one_rule():
    alike = customers(300, **dict.fromkeys(TRAITS, 3.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned = rules.learn(alike)
    tree = learned[learned["learner"] == "tree"]
    assert list(tree["condition"]) == ["everyone"]
    assert len(learned) == 1 + rules.FOREST_TREES
    table = scored(alike.assign(cutoff="live"), learned)
    assert table["forest_tier"].nunique() == 1


def test_numbers_beyond_what_anyone_sells_are_learned_without_warning():
    table = customers(400)
    table["frequency"] *= 1e12
    table["margin_rate"] *= 1e-12
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned = rules.learn(table)
    assert np.isfinite(learned["threshold"].dropna()).all()


def test_learned_numbers_have_ten_digits():
    frame = pd.DataFrame({"share": [1 / 3, 0.0, np.nan, 44.1, 2e7 / 3, 1e-9 / 3]})
    found = rules.rounded(frame)["share"].to_numpy()
    expected = [0.3333333333, 0.0, np.nan, 44.1, 6666666.667, 3.333333333e-10]
    np.testing.assert_array_equal(found, expected)


# -- The tables -----------------------------------------------------------------------


def test_the_rules_in_sql_are_those_in_words_and_in_python(demo):
    columns = "cutoff, customer_id, frequency, days_since_last_purchase, age_days"
    columns += ", recent_purchase_count, mean_purchase_amount, margin_rate"
    columns += ", gap_variation, main_channel_rate, satisfaction_score, survey_count"
    columns += ", recent_use_count, contract_days, monthly_amount, term_months"
    traits = frame(demo, f"select {columns} from int_customer_traits")
    nodes = frame(demo, "select * from learned.ml_value_model where learner = 'tree'")
    found = dict(
        ((cutoff, customer), rule)
        for cutoff, customer, rule in demo.query(
            "select cutoff, customer_id, rule_number from int_value_rule_tiers"
        )
    )
    for learned_at, asked_at in votes.ASKED_AT.items():
        tree = nodes[nodes["cutoff"] == learned_at]
        known = traits[
            (traits["cutoff"] == asked_at) & (traits["mean_purchase_amount"] > 0)
        ]
        number = tree.set_index("node_number")["rule_number"]
        expected = number.loc[reached(tree, known)]
        assert [found[asked_at, x] for x in known["customer_id"]] == list(expected)
        assert sum(cutoff == asked_at for cutoff, _ in found) == len(known) > 0
    meeting = demo.query(
        "select sum(customer_count), count(distinct rule_number) from dim_value_rules"
    )
    assert meeting == [
        (
            demo.query("select count(*) from fct_customer_tiers")[0][0],
            int((nodes["is_leaf"] & (nodes["cutoff"] == "train")).sum()),
        )
    ]


def frame(demo, sql: str) -> pd.DataFrame:
    with duckdb.connect(str(demo.path), read_only=True) as connection:
        connection.execute("set search_path = 'main,intermediate,staging,raw'")
        return connection.execute(sql).df()


def test_importances_are_those_of_scikit_learn(demo):
    sample = frame(demo, "select * from int_value_rule_sample order by customer_id")
    found = frame(demo, "select * from fct_trait_importances")
    traits = [column for column in sample.columns if column not in rules.LABELS]
    for cutoff in ("test", "train"):
        known = sample[sample["cutoff"] == cutoff]
        forest = RandomForestClassifier(
            n_estimators=50,
            max_depth=8,
            min_samples_leaf=20,
            max_samples=len(known),
            random_state=rules.SEED,
        ).fit(rules.on_grid(known[traits].to_numpy()), codes(known["actual_tier"]))
        importances = found[found["cutoff"] == cutoff].set_index("trait_name")
        assert importances.loc[traits, "importance_rate"].to_numpy() == pytest.approx(
            forest.feature_importances_, abs=1e-7
        )


def test_measures_are_those_of_scikit_learn(demo):
    predictions = frame(demo, "select * from int_value_rule_predictions")
    backtest = frame(demo, "select * from fct_tier_backtest").set_index("tier_method")
    confusion = frame(demo, "select * from fct_tier_confusion").set_index(
        ["tier_method", "actual_tier", "predicted_tier"]
    )
    actual = predictions["actual_tier"]
    assert set(backtest.index) == {
        "value_process", "regression", "decision_tree", "random_forest", "all_low"
    }  # fmt: skip
    for tier_method, row in backtest.iterrows():
        predicted = predictions[f"{tier_method}_tier"]
        assert row["has_all_tiers"]
        assert row["customer_count"] == len(actual)
        assert [
            row["accuracy_rate"],
            row["macro_f1_rate"],
            row["balanced_accuracy_rate"],
        ] == pytest.approx(
            [
                accuracy_score(actual, predicted),
                f1_score(actual, predicted, average="macro"),
                balanced_accuracy_score(actual, predicted),
            ],
            abs=1e-11,
        )
        cells = confusion_matrix(actual, predicted, labels=rules.TIERS)
        for i, of in enumerate(rules.TIERS):
            for j, called in enumerate(rules.TIERS):
                count = confusion.loc[(tier_method, of, called), "customer_count"]
                assert count == cells[i, j]


def test_every_method_tells_more_than_calling_everyone_low(demo):
    backtest = dict(
        demo.query("select tier_method, macro_f1_rate from fct_tier_backtest")
    )
    floor = backtest.pop("all_low")
    assert min(backtest.values()) > floor + 0.1


def test_what_is_judged_was_learned_before_its_window(demo):
    # what is asked at the train cutoff follows from rows of the test cutoff alone
    nodes = frame(demo, "select * from learned.ml_value_model where cutoff = 'test'")
    sample = frame(demo, "select * from int_value_rule_sample where cutoff = 'test'")
    order, numbers = ["learner", "tree_number", "node_number"], ["threshold", *RATES]
    again = rules.learn(sample).sort_values(order)[numbers].to_numpy()
    np.testing.assert_array_equal(nodes.sort_values(order)[numbers].to_numpy(), again)


def test_the_margin_regression_is_that_of_numpy(demo):
    terms = ["frequency", "recency_days", "age_days", "purchase_revenue_amount"]
    sample = frame(demo, "select * from int_regression_sample")
    features = frame(
        demo,
        f"select cutoff, customer_id, {', '.join(terms)} from int_customer_features",
    ).set_index(["cutoff", "customer_id"])
    found = frame(demo, "select * from int_regression_margins")
    for learned_at, asked_at in votes.ASKED_AT.items():
        known = sample[sample["cutoff"] == learned_at]
        design = np.column_stack([np.ones(len(known)), known[terms].to_numpy(float)])
        line = np.linalg.lstsq(design, known["actual_margin"].to_numpy(), rcond=None)[0]
        asked = found[found["cutoff"] == asked_at].set_index("customer_id")
        values = features.loc[asked_at].loc[asked.index, terms].to_numpy(float)
        assert asked["regression_margin"].to_numpy() == pytest.approx(
            line[0] + values @ line[1:], rel=1e-6, abs=1e-6
        )
