"""The linear regression that the processes are compared with."""

import numpy as np
import pandas as pd
import pytest
from conftest import python_model

regression = python_model("ml_value_regression")

# Longley (1967): employment on prices, GNP, unemployed, armed forces, population and
# year. Its columns nearly follow from each other, which is why NIST judges software by
# it (Statistical Reference Datasets, linear regression, "Longley").
LONGLEY = np.array(
    [
        [60323, 83.0, 234289, 2356, 1590, 107608, 1947],
        [61122, 88.5, 259426, 2325, 1456, 108632, 1948],
        [60171, 88.2, 258054, 3682, 1616, 109773, 1949],
        [61187, 89.5, 284599, 3351, 1650, 110929, 1950],
        [63221, 96.2, 328975, 2099, 3099, 112075, 1951],
        [63639, 98.1, 346999, 1932, 3594, 113270, 1952],
        [64989, 99.0, 365385, 1870, 3547, 115094, 1953],
        [63761, 100.0, 363112, 3578, 3350, 116219, 1954],
        [66019, 101.2, 397469, 2904, 3048, 117388, 1955],
        [67857, 104.6, 419180, 2822, 2857, 118734, 1956],
        [68169, 108.4, 442769, 2936, 2798, 120445, 1957],
        [66513, 110.8, 444546, 4681, 2637, 121950, 1958],
        [68655, 112.6, 482704, 3813, 2552, 123366, 1959],
        [69564, 114.2, 502601, 3931, 2514, 125368, 1960],
        [69331, 115.7, 518173, 4806, 2572, 127852, 1961],
        [70551, 116.9, 554894, 4007, 2827, 130081, 1962],
    ]
)
CERTIFIED = {
    "coefficients": [
        -3482258.63459582,
        15.0618722713733,
        -0.0358191792925910,
        -2.02022980381683,
        -1.03322686717359,
        -0.0511041056535807,
        1829.15146461355,
    ],
    "standard_errors": [
        890420.383607373,
        84.9149257747669,
        0.0334910077722432,
        0.488399681651699,
        0.214274163161675,
        0.226073200069370,
        455.478499142212,
    ],
    "r_squared": 0.995479004577296,
}


def customers(count: int, **columns) -> pd.DataFrame:
    """Customers with features drawn from a fixed seed, and what they did next."""
    random = np.random.default_rng(20240131)
    frequency = random.poisson(1.5, count)
    age = random.integers(30, 400, count)
    table = {
        "cutoff": "test",
        "customer_id": [f"c{number:05}" for number in range(count)],
        "frequency": frequency,
        "recency_days": (age * random.uniform(0, 1, count) * (frequency > 0)).astype(
            int
        ),
        "age_days": age,
        "purchase_revenue_amount": (frequency + 1) * random.gamma(4, 10, count),
        "actual_purchases": random.poisson(0.3 + 0.5 * frequency),
        "actual_revenue": random.gamma(2, 20, count) * (frequency > 0),
        "actual_margin": random.normal(5, 20, count),
    }
    return pd.DataFrame(table | columns)


def test_the_certified_values_of_longley_are_reached():
    coefficients, standard_errors, r_squared = regression.ordinary_least_squares(
        LONGLEY[:, 1:], LONGLEY[:, 0]
    )
    assert coefficients == pytest.approx(CERTIFIED["coefficients"], rel=1e-8)
    assert standard_errors == pytest.approx(CERTIFIED["standard_errors"], rel=1e-8)
    assert r_squared == pytest.approx(CERTIFIED["r_squared"], rel=1e-10)


def test_a_straight_line_is_found_exactly():
    table = customers(100)
    table["actual_purchases"] = 2 + 3 * table["frequency"] - 0.5 * table["age_days"]
    learned = regression.learn(table).set_index(["target", "term"])
    of_purchases = learned.loc["purchases"]
    assert list(of_purchases.index) == ["intercept", *regression.FEATURES]
    assert of_purchases["coefficient"].to_numpy() == pytest.approx(
        [2, 3, 0, -0.5, 0], abs=1e-9
    )
    assert of_purchases["r_squared"].to_numpy() == pytest.approx(1)


def test_the_order_of_customers_plays_no_part():
    table = customers(200)
    shuffled = table.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        regression.learn(table), regression.learn(shuffled), check_exact=True
    )


def test_fewer_than_thirty_customers_teach_nothing():
    assert len(regression.learn(customers(29))) == 0
    assert len(regression.learn(customers(30))) == 15
    assert list(regression.learn(customers(29)).columns) == list(regression.COLUMNS)


def test_a_feature_that_is_the_same_for_everyone_has_no_effect():
    table = customers(100, age_days=77)
    learned = regression.learn(table).set_index(["target", "term"])
    for target in regression.TARGETS:
        assert learned.loc[(target, "age_days"), "coefficient"] == 0
        assert np.isnan(learned.loc[(target, "age_days"), "standard_error"])
    assert np.isfinite(learned["coefficient"]).all()


def test_features_that_say_the_same_predict_as_one_of_them_does():
    table = customers(100)
    table["recency_days"] = 2 * table["age_days"]
    learned = regression.learn(table).set_index(["target", "term"])["coefficient"]
    alone = regression.ordinary_least_squares(
        table[["frequency", "age_days", "purchase_revenue_amount"]].to_numpy(float),
        table["actual_purchases"].to_numpy(float),
    )[0]
    of_purchases = learned["purchases"]
    assert [
        of_purchases["intercept"],
        of_purchases["frequency"],
        of_purchases["age_days"] + 2 * of_purchases["recency_days"],
        of_purchases["purchase_revenue_amount"],
    ] == pytest.approx(list(alone), rel=1e-9)


def test_a_target_that_does_not_vary_is_its_own_prediction():
    learned = regression.learn(customers(50, actual_purchases=0)).set_index(
        ["target", "term"]
    )
    assert (learned.loc["purchases", "coefficient"] == 0).all()
    assert learned.loc["purchases", "r_squared"].isna().all()


def test_each_cutoff_is_learned_for_itself():
    earlier, later = customers(100), customers(60, cutoff="train")
    later["actual_margin"] = 7 - 2 * later["frequency"]
    learned = regression.learn(pd.concat([later, earlier]))
    alone = pd.concat([regression.learn(earlier), regression.learn(later)])
    pd.testing.assert_frame_equal(learned, alone.reset_index(drop=True))
    of_margin = learned[
        (learned["cutoff"] == "train") & (learned["target"] == "margin")
    ]
    assert of_margin["coefficient"].to_numpy() == pytest.approx(
        [7, -2, 0, 0, 0], abs=1e-9
    )
    assert (of_margin["customer_count"] == 60).all()
