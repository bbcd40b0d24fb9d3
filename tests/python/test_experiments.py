"""Experiments against scipy and statsmodels, Hillstrom's counts and the demo shop.

One dbt run in a project of its own, which has the macros of this one and the models
from int_experiment_sums on, computes all experiments and all grids at once. What goes
in are customers with their outcomes.
"""

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, MacroProject, Warehouse
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportions_ztest,
)

# scipy says so of an arm in which all are alike; the numbers agree all the same
pytestmark = pytest.mark.filterwarnings("ignore:Precision loss occurred")

REAL_MODELS = (
    "intermediate/experiments/int_experiment_arms.sql",
    "intermediate/experiments/int_experiment_sums.sql",
    "marts/strategy/fct_experiment_results.sql",
    "marts/strategy/fct_experiment_arms.sql",
)
SPLIT = {"planned_one_to_nine": {"control": 1, "a": 9}, "it's": {"x": 2}}

MODELS = {
    "int_experiment_customers": "select * from customers",
    "int_cutoff_dates": "select 'live' as cutoff, date '2025-06-30' as cutoff_date",
    "normal": "select z, {{ normal_two_sided_p('z') }} as p from normal_grid",
    "student": """select t, df, {{ student_two_sided_p('t', 'df') }} as p
        from student_grid""",
    "quantile": "select df, {{ student_quantile_975('df') }} as q from student_grid",
    "chi": "select x, df, {{ chi_square_p('x', 'df') }} as p from chi_grid",
}

RATES = {"visit": "has_visited", "conversion": "has_bought", "retention": "has_stayed"}
AMOUNTS = {"revenue": "revenue_after_amount", "margin": "margin_after_amount"}
OUTCOMES = RATES | AMOUNTS
SLICES = {"value_tier": "value_tier_before", "buyer_class": "buyer_class_before"}

# Hillstrom's arms: customers, of whom visited, of whom bought
HILLSTROM = {
    "mens_email": (21_307, 3_894, 267),
    "womens_email": (21_387, 3_238, 189),
    "control": (21_306, 2_262, 122),
}


def random_arm(
    rng: np.random.Generator, size: int, lift: float, *, spent_before: bool = True
) -> pd.DataFrame:
    """Customers whose outcomes depend on what they spent before, and on the arm."""
    before = rng.gamma(2, 40, size).round(2) * (rng.random(size) < 0.8) * spent_before
    bought = rng.random(size) < 0.15 + lift + 0.1 * (before > 80)
    revenue = (bought * (0.5 * before + rng.gamma(3, 20, size))).round(2)
    return pd.DataFrame(
        {
            "revenue_before_amount": before,
            "has_visited": bought | (rng.random(size) < 0.2),
            "has_bought": bought,
            "has_stayed": rng.random(size) < 0.4 + lift,
            "revenue_after_amount": revenue,
            "margin_after_amount": (0.4 * revenue - 0.1).round(2),
            "value_tier_before": rng.choice(["high", "medium", "low"], size),
            "buyer_class_before": np.where(before > 0, "repeat buyer", "never bought"),
        }
    )


def counted_arm(size: int, visits: int = 0, purchases: int = 0) -> pd.DataFrame:
    """So many customers, of whom so many visited and bought."""
    number = np.arange(size)
    return pd.DataFrame(
        {
            "has_visited": number < visits,
            "has_bought": number < purchases,
            "has_stayed": number < 0,
        }
    )


def experiments() -> Iterator[tuple[str, dict[str, pd.DataFrame]]]:
    """Yield experiments: arms by name."""
    rng = np.random.default_rng(2013)
    for name, sizes in {
        "large": {"control": 900, "a": 800, "b": 1_000},
        "small": {"control": 12, "a": 9},
        "uneven": {"control": 40, "a": 400, "b": 37, "c": 38, "d": 39},
    }.items():
        yield (
            name,
            {
                arm: random_arm(rng, size, 0.04 * number)
                for number, (arm, size) in enumerate(sizes.items())
            },
        )
    yield (
        "no_history",
        {arm: random_arm(rng, 50, 0.1, spent_before=False) for arm in ("control", "a")},
    )
    yield "no_control", {arm: random_arm(rng, 50, 0) for arm in ("a", "b")}
    yield "only_control", {"control": random_arm(rng, 50, 0)}
    yield (
        "one_customer",
        {"control": random_arm(rng, 30, 0), "a": random_arm(rng, 1, 0)},
    )
    yield "nobody_buys", {"control": counted_arm(30), "a": counted_arm(30)}
    everyone = counted_arm(30, 30, 30).assign(
        revenue_after_amount=49.99, margin_after_amount=17.01, revenue_before_amount=0.1
    )
    yield "everyone_alike", {"control": everyone, "a": everyone}
    yield "one_arm_alike", {"control": random_arm(rng, 30, 0), "a": everyone}
    yield "still_open", {arm: random_arm(rng, 30, 0) for arm in ("control", "a")}
    yield "planned_one_to_nine", {"control": counted_arm(110), "a": counted_arm(890)}
    yield "it's", {"control": counted_arm(100), "x": counted_arm(200)}
    yield "not_one_to_one", {"control": counted_arm(110), "a": counted_arm(890)}
    yield "worse", {"control": counted_arm(500, 0, 200), "a": counted_arm(500, 0, 100)}
    yield "two_arms_at_once", {"control": counted_arm(100), "a": counted_arm(100)}
    yield "hillstrom", {arm: counted_arm(*counts) for arm, counts in HILLSTROM.items()}


def customers_of(name: str, arms: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """An experiment as rows of int_experiment_customers."""
    rows = pd.concat(frame.assign(arm=arm) for arm, frame in arms.items())
    plain = {
        "experiment_id": name,
        "assigned_date": "2025-04-01",
        "outcome_end_date": "2025-07-01" if name == "still_open" else "2025-05-31",
        "treatment_cost_amount": 0.5,
        "is_contaminated": False,
        "is_mature": name != "still_open",
    }
    given = {
        "revenue_before_amount": 0.0,
        "revenue_after_amount": 0.0,
        "margin_after_amount": 0.0,
        "value_tier_before": "low",
        "buyer_class_before": "never bought",
    }
    for column, value in given.items():
        rows[column] = rows[column].fillna(value) if column in rows else value
    rows = rows.assign(**plain)
    if name == "two_arms_at_once":
        rows["is_contaminated"] = np.arange(len(rows)) % 10 == 0
    return rows


EXPERIMENTS = dict(experiments())
TESTED = ("large", "small", "uneven", "no_history", "one_arm_alike", "worse")


def grids() -> dict[str, pd.DataFrame]:
    """Where the distributions are compared."""
    steps = np.concatenate([[0], np.logspace(-6, np.log10(40), 80)])
    t, df = np.meshgrid(
        np.concatenate([-steps[::8], steps]),
        np.concatenate([np.arange(1, 40), np.logspace(0, 7, 120)]),
    )
    x, k = np.meshgrid(np.concatenate([steps, [100, 600]]), np.arange(1, 51))
    normal = np.concatenate([-steps, steps, np.linspace(0, 37, 2_000)])
    return {
        "normal_grid": pd.DataFrame({"z": normal}),
        "student_grid": pd.DataFrame({"t": t.ravel(), "df": df.ravel()}),
        "chi_grid": pd.DataFrame({"x": x.ravel(), "df": k.ravel()}),
    }


@pytest.fixture(scope="module")
def tables(macro_project: MacroProject) -> dict[str, pd.DataFrame]:
    """What the models and the macros give."""
    given = pd.concat(customers_of(*item) for item in EXPERIMENTS.items())
    # any order of rows gives the same numbers
    given = given.sample(frac=1, random_state=7)
    with duckdb.connect(str(macro_project.warehouse)) as database:
        database.register("given", given)
        database.execute("""
            create table customers as
            select * replace (
                cast(assigned_date as date) as assigned_date,
                cast(outcome_end_date as date) as outcome_end_date,
                cast(revenue_before_amount as decimal(18, 4)) as revenue_before_amount,
                cast(revenue_after_amount as decimal(18, 4)) as revenue_after_amount,
                cast(margin_after_amount as decimal(18, 4)) as margin_after_amount,
                cast(treatment_cost_amount as decimal(18, 4)) as treatment_cost_amount
            ) from given
        """)
        for name, grid in grids().items():
            database.register("grid", grid)
            database.execute(f"create table {name} as from grid")

    real = {
        path.stem: path.read_text()
        for path in (REPOSITORY / "models" / name for name in REAL_MODELS)
    }
    found = macro_project.tables(MODELS | real, {"experiment_split": SPLIT})
    with duckdb.connect(str(macro_project.warehouse), read_only=True) as database:
        # a NULL and a NaN look alike in pandas
        found["not_finite"] = database.execute("""
            select experiment_id, arm
            from fct_experiment_results
            where not isfinite(coalesce(columns(* exclude (
                experiment_id, arm, slice_type, slice, measure, first_assigned_date,
                is_significant, is_mature
            )), 0))
            union all
            select experiment_id, arm
            from fct_experiment_arms
            where
                not isfinite(coalesce(sample_ratio_p_value, 0))
                or not isfinite(coalesce(return_on_cost, 0))
        """).df()
    return found


def relative_error(found: pd.Series, expected: np.ndarray) -> float:
    """The largest one, where the expected number is not next to the smallest double."""
    is_told = expected > 1e-290
    assert (found[~is_told] < 1e-280).all()
    return np.abs(found[is_told] / expected[is_told] - 1).max()


# -- Distributions ------------------------------------------------------------------


def test_the_normal_tail_has_double_precision(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["normal"]
    assert relative_error(found["p"], 2 * stats.norm.sf(found["z"].abs())) < 1e-14


def test_students_tail_has_eight_digits(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["student"]
    expected = 2 * stats.t.sf(found["t"].abs(), found["df"])
    assert relative_error(found["p"], expected) < 1e-8


def test_students_quantile_has_eight_digits(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["quantile"]
    assert relative_error(found["q"], stats.t.ppf(0.975, found["df"])) < 1e-8


def test_chi_square_is_in_closed_form(tables: dict[str, pd.DataFrame]) -> None:
    found = tables["chi"]
    assert relative_error(found["p"], stats.chi2.sf(found["x"], found["df"])) < 1e-12


# -- Results ------------------------------------------------------------------------


def groups_of(arms: dict[str, pd.DataFrame]) -> Iterator[tuple[str, str, Callable]]:
    """Yield slice type, slice, and what cuts an arm down to the slice."""
    yield "all", "all", lambda frame: frame
    everyone = pd.concat(arms.values())
    for slice_type, column in SLICES.items():
        if column in everyone:
            for value in everyone[column].unique():
                yield (
                    slice_type,
                    value,
                    lambda frame, c=column, v=value: frame[frame[c] == v],
                )


def compared(name: str) -> Iterator[tuple[tuple, dict[str, np.ndarray], str]]:
    """Yield the key of each result, the outcomes and spends of all arms, the arm."""
    rows = customers_of(name, EXPERIMENTS[name])
    arms = {arm: rows[rows["arm"] == arm] for arm in rows["arm"].unique()}
    for slice_type, value, cut in groups_of(arms):
        members = {arm: cut(frame) for arm, frame in arms.items()}
        members = {arm: frame for arm, frame in members.items() if len(frame)}
        for measure, column in OUTCOMES.items():
            values = {
                arm: (
                    frame[column].to_numpy(float),
                    frame["revenue_before_amount"].to_numpy(float),
                )
                for arm, frame in members.items()
            }
            for arm in members:
                if arm != "control":
                    yield (arm, slice_type, value, measure), values, arm


def result(tables: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """The results of an experiment by arm, slice type, slice and measure."""
    rows = tables["fct_experiment_results"]
    rows = rows[rows["experiment_id"] == name]
    return rows.set_index(["arm", "slice_type", "slice", "measure"]).sort_index()


def approx(expected: float, rel: float = 1e-7) -> object:
    """Seven digits; NaN of a reference is NULL here."""
    return pytest.approx(expected, rel=rel, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("name", TESTED)
def test_results_are_those_of_scipy_and_statsmodels(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    found = result(tables, name)
    keys = 0
    for key, values, arm in compared(name):
        keys += 1
        row = found.loc[key]
        y = values[arm][0]
        y0 = values["control"][0] if "control" in values else np.array([])
        assert row["customer_count"] == len(y)
        assert row["control_customer_count"] == len(y0)
        if min(len(y), len(y0)) < 2 or np.ptp(np.concatenate([y, y0])) == 0:
            assert (
                row[["absolute_uplift_lower", "p_value", "adjusted_p_value"]]
                .isna()
                .all()
            )
            continue
        assert row["absolute_uplift"] == approx(y.mean() - y0.mean())
        if key[3] in RATES:
            if np.ptp(y) == 0 and np.ptp(y0) == 0:
                continue  # everyone against nobody: no spread, no interval
            counts, sizes = [y.sum(), y0.sum()], [len(y), len(y0)]
            p_value = proportions_ztest(counts, sizes)[1]
            bounds = confint_proportions_2indep(
                counts[0], sizes[0], counts[1], sizes[1], method="wald", compare="diff"
            )
            errors = [y.std() / len(y) ** 0.5, y0.std() / len(y0) ** 0.5]
            width = stats.norm.ppf(0.975)
        else:
            test = stats.ttest_ind(y, y0, equal_var=False)
            p_value, bounds = test.pvalue, test.confidence_interval(0.95)
            errors = [stats.sem(y), stats.sem(y0)]
            width = stats.t.ppf(0.975, test.df)
        assert row["p_value"] == approx(p_value)
        check_interval(
            row["absolute_uplift_lower"], row["absolute_uplift_upper"], *bounds
        )
        assert row["arm_standard_error"] == approx(errors[0])
        assert row["control_standard_error"] == approx(errors[1])
        check_relative(row, y.mean(), y0.mean(), errors, width)
        check_power(row, errors, len(y), len(y0))
    assert keys == len(found) > 0


def check_interval(lower: float, upper: float, *expected: float) -> None:
    """Both bounds, to eight digits of the width: one may be next to 0."""
    width = expected[1] - expected[0]
    assert lower == pytest.approx(expected[0], abs=1e-8 * width)
    assert upper == pytest.approx(expected[1], abs=1e-8 * width)


def check_relative(
    row: pd.Series, mean: float, control: float, errors: list[float], width: float
) -> None:
    """The delta method: numerical slopes of m / m0 - 1 times the standard errors."""
    if control <= 0:
        assert np.isnan(row["relative_uplift"])
        assert np.isnan(row["relative_uplift_lower"])
        return
    step = 1e-6 * control
    slopes = [
        1 / control,
        (mean / (control + step) - mean / (control - step)) / (2 * step),
    ]
    width *= np.hypot(slopes[0] * errors[0], slopes[1] * errors[1])
    relative = mean / control - 1
    assert row["relative_uplift"] == approx(relative)
    assert row["relative_uplift_lower"] == approx(relative - width, rel=1e-6)
    assert row["relative_uplift_upper"] == approx(relative + width, rel=1e-6)


def check_power(row: pd.Series, errors: list[float], size: int, control: int) -> None:
    """An uplift just detectable is found in four of five experiments."""
    scale = np.hypot(*errors) / (1 / size + 1 / control) ** 0.5
    power = NormalIndPower().power(
        row["minimum_detectable_uplift"] / scale, size, 0.05, ratio=control / size
    )
    assert power == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize("name", TESTED)
def test_cuped_is_welch_on_what_the_past_does_not_explain(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    found = result(tables, name)
    checked = 0
    for key, values, arm in compared(name):
        row = found.loc[key]
        if (
            "control" not in values
            or min(len(values[a][0]) for a in (arm, "control")) < 2
        ):
            continue
        x_spread = sum(((x - x.mean()) ** 2).sum() for _, x in values.values())
        if all(np.ptp(x) == 0 for _, x in values.values()):
            assert np.isnan(row["cuped_uplift"])
            assert np.isnan(row["cuped_p_value"])
            continue
        theta = sum(((x - x.mean()) * y).sum() for y, x in values.values()) / x_spread
        adjusted = [y - theta * x for y, x in (values[arm], values["control"])]
        if max(map(np.ptp, adjusted)) < 1e-9:
            continue
        checked += 1
        test = stats.ttest_ind(*adjusted, equal_var=False)
        bounds = test.confidence_interval(0.95)
        assert row["cuped_uplift"] == approx(adjusted[0].mean() - adjusted[1].mean())
        assert row["cuped_p_value"] == approx(test.pvalue)
        check_interval(row["cuped_uplift_lower"], row["cuped_uplift_upper"], *bounds)
        if key[3] in AMOUNTS:
            plain = sum(stats.sem(values[a][0]) ** 2 for a in (arm, "control"))
            reduced = sum(stats.sem(part) ** 2 for part in adjusted)
            assert row["variance_reduction"] == approx(1 - reduced / plain)
    assert checked or name in ("no_history", "worse")


@pytest.mark.parametrize("name", ["uneven", "hillstrom"])
def test_holm_counts_the_arms_and_groups_that_were_asked(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    rows = result(tables, name).reset_index()
    rows = rows[rows["p_value"].notna()]
    for _, family in rows.groupby(["slice_type", "measure"]):
        expected = multipletests(family["p_value"], method="holm")[1]
        np.testing.assert_allclose(family["adjusted_p_value"], expected, rtol=1e-12)
        is_significant = family["is_significant"].astype(bool)
        np.testing.assert_array_equal(is_significant, expected < 0.05)


def test_nothing_is_infinite_or_not_a_number(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["not_finite"].empty


@pytest.mark.parametrize(
    "name", ["no_control", "one_customer", "still_open", "everyone_alike"]
)
def test_what_cannot_be_said_is_null(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    rows = result(tables, name)
    silent = ["absolute_uplift_lower", "p_value", "adjusted_p_value", "is_significant"]
    assert len(rows) > 0
    assert (
        rows[[*silent, "cuped_p_value", "minimum_detectable_uplift"]].isna().all(None)
    )
    if name == "still_open":
        assert rows[["arm_mean", "control_mean", "absolute_uplift"]].isna().all(None)
        assert (rows["customer_count"] == [*rows["customer_count"]]).all()
    if name == "everyone_alike":
        assert (rows["absolute_uplift"] == 0).all()


# -- Arms ---------------------------------------------------------------------------


def arms_of(tables: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """The arms of an experiment, by name."""
    rows = tables["fct_experiment_arms"]
    return rows[rows["experiment_id"] == name].set_index("arm")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_sizes_are_held_against_the_plan(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    arms = arms_of(tables, name)
    parts = np.array([SPLIT.get(name, {}).get(arm, 1) for arm in arms.index])
    np.testing.assert_allclose(arms["expected_share_rate"], parts / parts.sum())
    p_values = arms["sample_ratio_p_value"]
    if len(arms) == 1:
        assert p_values.isna().all()
        return
    sizes = arms["customer_count"]
    expected = stats.chisquare(sizes, sizes.sum() * parts / parts.sum()).pvalue
    np.testing.assert_allclose(p_values, expected, rtol=1e-9)


VERDICTS = {
    ("no_control", "a"): "Nothing to compare with",
    ("only_control", "control"): "Nothing to compare:",
    ("not_one_to_one", "a"): "Do not trust: the arms are not as large as planned",
    ("not_one_to_one", "control"): "Do not trust",
    ("two_arms_at_once", "a"): "Do not trust: more than one customer in twenty",
    ("still_open", "a"): "Too early: the last window ends on 2025-07-01.",
    ("nobody_buys", "a"): "No difference to be seen",
    ("planned_one_to_nine", "control"): "What the others are compared with.",
    # .4 - .2, +- 1.96 x sqrt(.4 x .6 / 500 + .2 x .8 / 500) = .0554
    ("worse", "a"): "Worse: 20.00 points fewer of the customers bought (95 %: 14.46 to"
    " 25.54).",
    # 267 / 21307 - 122 / 21306 = .006805; sqrt of both p (1 - p) / n: .000921
    ("hillstrom", "mens_email"): "Better: 0.68 points more of the customers bought"
    " (95 %: 0.50 to 0.86).",
    ("small", "a"): "No difference found: one of ",
}


@pytest.mark.parametrize(("name", "arm"), VERDICTS)
def test_the_verdict_is_the_first_that_applies(
    name: str, arm: str, tables: dict[str, pd.DataFrame]
) -> None:
    verdict = arms_of(tables, name).loc[arm, "verdict"]
    assert verdict.startswith(VERDICTS[name, arm])


def test_margin_and_return_come_from_the_uplift(
    tables: dict[str, pd.DataFrame],
) -> None:
    """Half a euro was spent on each customer."""
    arms = EXPERIMENTS["large"]
    uplift = (
        arms["a"]["margin_after_amount"].mean()
        - arms["control"]["margin_after_amount"].mean()
    )
    row = arms_of(tables, "large").loc["a"]
    assert float(row["measured_margin_amount"]) == pytest.approx(800 * uplift, abs=1e-4)
    assert row["return_on_cost"] == pytest.approx(2 * uplift - 1, rel=1e-4)
    assert float(row["treatment_cost_amount"]) == 400


def test_who_was_in_two_arms_is_counted_and_left_out(
    tables: dict[str, pd.DataFrame],
) -> None:
    arms = arms_of(tables, "two_arms_at_once")
    assert arms["customer_count"].tolist() == [90, 90]
    assert arms["contaminated_customer_count"].tolist() == [10, 10]
    rows = result(tables, "two_arms_at_once")
    assert (rows["customer_count"] == 90).all()


# -- Hillstrom ----------------------------------------------------------------------


def test_hillstroms_counts_give_the_published_rates(
    tables: dict[str, pd.DataFrame],
) -> None:
    rows = result(tables, "hillstrom").xs(("all", "all"), level=("slice_type", "slice"))
    published = {
        ("mens_email", "visit"): (0.182757, 0.106167),
        ("womens_email", "visit"): (0.151400, 0.106167),
        ("mens_email", "conversion"): (0.012531, 0.005726),
        ("womens_email", "conversion"): (0.008837, 0.005726),
    }
    for key, (arm, control) in published.items():
        assert round(rows.loc[key, "arm_mean"], 6) == arm
        assert round(rows.loc[key, "control_mean"], 6) == control


def test_the_example_keeps_what_the_file_says(tmp_path: Path) -> None:
    """Three lines in the form of hillstrom.csv."""
    source = tmp_path / "hillstrom.csv"
    with source.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ["recency", "history_segment", "history", "mens", "womens", "zip_code",
                 "newbie", "channel", "segment", "visit", "conversion", "spend"],
                [10, "2) $100 - $200", 142.44, 1, 0, "Urban", 0, "Phone",
                 "Womens E-Mail", 0, 0, 0],
                [6, "3) $200 - $350", 329.08, 1, 1, "Rural", 1, "Web",
                 "No E-Mail", 1, 0, 0],
                [1, "2) $100 - $200", 180.65, 0, 1, "Rural", 1, "Web",
                 "Mens E-Mail", 1, 1, 29.99],
            ]
        )  # fmt: skip
    subprocess.run(
        [
            sys.executable,
            "scripts/prepare_example.py",
            "examples/hillstrom.sql",
            str(source),
            str(tmp_path / "inputs"),
        ],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    with duckdb.connect() as database:

        def rows(name: str, columns: str) -> list[tuple]:
            path = tmp_path / "inputs" / f"{name}.parquet"
            return database.execute(
                f"select {columns} from '{path}' order by all"
            ).fetchall()

        assert rows("experiments", "customer_id, arm") == [
            ("H00001", "womens_email"),
            ("H00002", "control"),
            ("H00003", "mens_email"),
        ]
        assert rows("orders", "order_id, cast(ordered_at as varchar), amount") == [
            ("H00001-1", "2007-05-20 00:00:00", "142.44"),
            ("H00002-1", "2007-09-20 00:00:00", "329.08"),
            ("H00003-1", "2008-02-20 00:00:00", "180.65"),
            ("H00003-2", "2008-04-03 00:00:00", "29.99"),
        ]
        assert rows("events", "customer_id") == [("H00002",), ("H00003",)]
        assert rows("customers", "interests") == [
            ("men's and women's clothes",),
            ("men's clothes",),
            ("women's clothes",),
        ]


# -- The demo shop ------------------------------------------------------------------


def test_the_true_uplift_lies_in_the_interval(demo: Warehouse, truth: dict) -> None:
    found = {
        (experiment, arm): bounds
        for experiment, arm, *bounds in demo.query("""
            select experiment_id, arm, absolute_uplift_lower, absolute_uplift_upper
            from fct_experiment_results
            where slice_type = 'all' and measure = 'conversion'
        """)
    }
    expected = {
        (experiment, arm): uplift
        for experiment, told in truth["experiments"].items()
        for arm, uplift in told["uplift"].items()
        if arm != "control"
    }
    assert found.keys() == expected.keys()
    for key, uplift in expected.items():
        lower, upper = found[key]
        assert lower <= uplift <= upper


def test_buyers_are_those_who_were_drawn(demo: Warehouse, truth: dict) -> None:
    drawn = truth["experiments"]["winback_email_2025"]["realised"]
    found = demo.query("""
        select arm, arm_mean * customer_count, control_mean * control_customer_count
        from fct_experiment_results
        where
            experiment_id = 'winback_email_2025'
            and slice_type = 'all' and measure = 'conversion'
    """)
    buyers = {
        arm: counts["would_buy_anyway"] + counts["buy_additionally"]
        for arm, counts in drawn.items()
    }
    assert len(found) == 2
    for arm, bought, control in found:
        assert bought == pytest.approx(buyers[arm])
        assert control == pytest.approx(buyers["control"])
