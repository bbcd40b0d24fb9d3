"""Survival: what Python learns and what SQL makes of it, against lifelines.

The baseline macro is run by dbt in a project of its own, over many samples at once, as
the Kaplan-Meier macro is.
"""

from collections.abc import Iterator

import duckdb
import lifelines
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, MacroProject, Warehouse, python_model
from lifelines.datasets import load_rossi
from lifelines.fitters.coxph_fitter import SemiParametricPHFitter
from lifelines.statistics import proportional_hazard_test
from scipy.stats import chi2

survival = python_model("ml_survival_model")

TRAITS = (*survival.TEXT_TRAITS, *survival.LOGARITHMIC_TRAITS)


def customers(count: int, seed: int = 1, **columns) -> pd.DataFrame:
    """Customers of whom nothing differs but how long they stayed."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "cutoff": "live",
            "customer_id": [f"C{number:06}" for number in range(count)],
            "relationship": "noncontractual",
            "duration_days": rng.integers(1, 500, count),
            "is_lost": rng.random(count) < 0.6,
        }
        | {trait: "none" for trait in survival.TEXT_TRAITS}
        | {trait: 0.0 for trait in survival.LOGARITHMIC_TRAITS}
    )
    return frame.assign(**columns)


def two_channels(count: int = 600, seed: int = 2) -> pd.DataFrame:
    """Customers of three channels and many amounts, of which one is lost faster."""
    rng = np.random.default_rng(seed)
    channel = rng.choice(["email", "social", "search"], count, p=[0.5, 0.3, 0.2])
    amount = rng.lognormal(3, 1, count)
    hazard = np.where(channel == "social", 2.0, 1.0) * (1 + amount) ** -0.3
    days = np.ceil(rng.exponential(600 / hazard / 3)).astype(int)
    until = rng.integers(30, 900, count)
    return customers(
        count,
        acquisition_channel=channel,
        first_purchase_amount=amount,
        duration_days=np.minimum(days, until),
        is_lost=days <= until,
    )


# -- The fit ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rossi() -> pd.DataFrame:
    """Arrests of 432 men within a year of their release."""
    return load_rossi()


@pytest.fixture(scope="module")
def rossi_fit(rossi: pd.DataFrame) -> lifelines.CoxPHFitter:
    return lifelines.CoxPHFitter().fit(rossi, "week", "arrest")


def test_rossi_has_the_published_coefficients(rossi: pd.DataFrame) -> None:
    """Allison 1995 and Fox 2002: fin -0.379, age -0.057, prio 0.091."""
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    fitted = survival.fit_cox(
        rossi[names].to_numpy(float), rossi["week"], rossi["arrest"].astype(bool)
    )
    found = dict(zip(names, fitted["coefficients"], strict=True))
    assert found["fin"] == pytest.approx(-0.3794, abs=1e-4)
    assert found["age"] == pytest.approx(-0.0574, abs=1e-4)
    assert found["prio"] == pytest.approx(0.0915, abs=1e-4)
    assert fitted["penalty"] == 0
    # its likelihood ratio test has 33.27 on 7 degrees of freedom
    assert fitted["shrinkage_rate"] == pytest.approx(1 - 7 / 33.27, abs=1e-3)


def without_ties(frame: pd.DataFrame) -> pd.DataFrame:
    """Rossi's weeks, told apart by hours, in an order that says nothing."""
    rng = np.random.default_rng(3)
    hours = rng.permutation(len(frame)) / len(frame)
    return frame.assign(week=frame["week"] + hours)


def test_without_ties_proportionality_is_that_of_lifelines(
    rossi: pd.DataFrame,
) -> None:
    frame = without_ties(rossi)
    fitter = lifelines.CoxPHFitter().fit(frame, "week", "arrest")
    expected = proportional_hazard_test(fitter, frame, time_transform="rank")
    names = list(fitter.params_.index)
    found = survival.proportionality_p_values(
        frame[names].to_numpy(float),
        frame["week"].to_numpy(),
        frame["arrest"].to_numpy(bool),
        fitter.params_.to_numpy(),
        fitter.variance_matrix_.to_numpy(),
    )
    expected = expected.summary["p"][names].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    # age is known to be at odds with proportionality
    assert found[names.index("age")] < 0.01 < found[names.index("fin")]


def test_with_ties_proportionality_is_that_of_lifelines_residuals(
    rossi: pd.DataFrame, rossi_fit: lifelines.CoxPHFitter
) -> None:
    """Ranks of equal weeks are their mean rank; the residuals are lifelines' own."""
    names = list(rossi_fit.params_.index)
    residuals = rossi_fit.compute_residuals(rossi, "scaled_schoenfeld")
    weeks = rossi["week"].loc[residuals.index]
    ranks = weeks.rank() - weeks.rank().mean()
    errors = rossi_fit.standard_errors_[names]
    statistic = (residuals[names].mul(ranks, axis=0)).sum() ** 2 / (
        len(ranks) * errors**2 * (ranks**2).sum()
    )
    found = survival.proportionality_p_values(
        rossi[names].to_numpy(float),
        rossi["week"].to_numpy(),
        rossi["arrest"].to_numpy(bool),
        rossi_fit.params_.to_numpy(),
        rossi_fit.variance_matrix_.to_numpy(),
    )
    np.testing.assert_allclose(found, chi2.sf(statistic, 1), rtol=1e-8)


def test_the_table_is_what_lifelines_says_of_the_same_columns() -> None:
    given = two_channels()
    learned = survival.learn(given).set_index(["survival_trait", "trait_level"])
    design = pd.DataFrame(
        {
            "social": given["acquisition_channel"] == "social",
            "search": given["acquisition_channel"] == "search",
            "amount": np.log1p(given["first_purchase_amount"]),
            "days": given["duration_days"],
            "lost": given["is_lost"],
        }
    ).astype(float)
    fitter = lifelines.CoxPHFitter().fit(design, "days", "lost")
    rows = {
        "social": ("acquisition_channel", "social"),
        "search": ("acquisition_channel", "search"),
        "amount": ("first_purchase_amount", ""),
    }
    columns = {
        "hazard_coefficient": "coef",
        "hazard_standard_error": "se(coef)",
        "hazard_ratio": "exp(coef)",
        "hazard_ratio_lower": "exp(coef) lower 95%",
        "hazard_ratio_upper": "exp(coef) upper 95%",
        "p_value": "p",
    }
    for name, row in rows.items():
        for ours, theirs in columns.items():
            expected = fitter.summary.loc[name, theirs]
            assert learned.loc[row, ours] == pytest.approx(expected, rel=1e-6)
        assert learned.loc[row, "trait_mean"] == pytest.approx(design[name].mean())
    reference = learned.loc[("acquisition_channel", "email")]
    assert reference["is_reference"] and reference["hazard_ratio"] == 1
    assert pd.isna(reference["p_value"])
    assert reference["concordance"] == pytest.approx(fitter.concordance_index_)
    assert reference["log_likelihood"] == pytest.approx(fitter.log_likelihood_)
    # what was put in is within the bounds
    social = learned.loc[("acquisition_channel", "social")]
    assert social["hazard_ratio_lower"] < 2 < social["hazard_ratio_upper"]


# -- The terms ----------------------------------------------------------------------


def test_rare_levels_are_one_level() -> None:
    """Of 30 x a, 29 x b, 30 x c with 9 events, only a stands for itself."""
    levels = pd.Series(["a"] * 30 + ["b"] * 29 + ["c"] * 30)
    is_event = np.array([True] * 59 + [True] * 9 + [False] * 21)
    pooled = survival.pooled_levels(levels, is_event)
    assert pooled.tolist() == ["a"] * 30 + ["other"] * 59


def test_only_the_most_frequent_levels_stand_for_themselves() -> None:
    """Of levels as frequent the names decide."""
    levels = pd.Series([f"level {number:02}" for number in range(20)] * 40)
    pooled = survival.pooled_levels(levels, np.ones(800, dtype=bool))
    kept = sorted(set(pooled) - {"other"})
    assert kept == [f"level {number:02}" for number in range(12)]


def test_too_rare_together_is_like_the_reference() -> None:
    given = two_channels()
    given.loc[:4, "acquisition_channel"] = "unknown"
    rows = survival.learn(given).set_index("trait_level")
    assert rows.loc["other", "hazard_coefficient"] == 0
    assert pd.isna(rows.loc["other", "p_value"])
    assert rows.loc["other", "level_count"] == 5


def test_a_column_that_others_determine_is_not_estimated() -> None:
    """Each plan has its price, so that the price tells nothing more."""
    given = customers(300)
    given["plan"] = np.tile(["basic", "plus", "pro"], 100)
    given["monthly_amount"] = given["plan"].map({"basic": 9.0, "plus": 19, "pro": 29})
    rows = survival.learn(given).set_index("survival_trait")
    assert rows.loc["monthly_amount", "hazard_coefficient"] == 0
    assert pd.isna(rows.loc["monthly_amount", "hazard_standard_error"])
    assert rows.loc["plan", "hazard_standard_error"].notna().sum() == 2


def test_independent_columns_by_hand() -> None:
    first = np.array([0.0, 1, 0, 1, 0])
    second = np.array([0.0, 0, 1, 1, 0])
    design = np.column_stack([first, np.ones(5), second, first - 2 * second + 1])
    assert survival.independent_columns(design).tolist() == [True, False, True, False]


def test_traits_of_chance_are_shrunken_away() -> None:
    """Noise on 20 levels: what is gained is not worth its coefficients."""
    rng = np.random.default_rng(5)
    given = customers(800, country=rng.choice(list("abcdefgh"), 800))
    assert survival.learn(given)["shrinkage_rate"].max() < 0.5
    assert survival.learn(two_channels())["shrinkage_rate"].min() > 0.9


# -- Small and degenerate inputs ----------------------------------------------------


def test_columns_and_types_are_the_promised_ones() -> None:
    for given in (two_channels(), two_channels()[:0], customers(20)):
        learned = survival.learn(given)
        assert {name: str(kind) for name, kind in learned.dtypes.items()} == (
            survival.COLUMNS
        )


@pytest.mark.parametrize("events", [0, 49])
def test_fewer_than_50_losses_teach_nothing(events: int) -> None:
    given = customers(200).assign(is_lost=np.arange(200) < events)
    assert survival.learn(given).empty


def test_where_nothing_differs_everyone_is_average() -> None:
    learned = survival.learn(customers(100, is_lost=np.arange(100) < 50))
    assert learned[["survival_trait", "hazard_coefficient"]].values.tolist() == [
        ["none", 0.0]
    ]
    assert learned["lost_customer_count"].tolist() == [50]


@pytest.mark.filterwarnings("error")
def test_who_is_never_lost_makes_no_noise() -> None:
    """A level without losses is pooled, an amount that tells all has a penalty."""
    given = customers(300, is_lost=np.arange(300) < 150)
    given["country"] = np.where(given["is_lost"], "DE", "FR")
    given["first_purchase_amount"] = 1e4 - given["duration_days"] * 10.0
    learned = survival.learn(given)
    numbers = learned.select_dtypes("float64").drop(
        columns=[
            "hazard_standard_error",
            "hazard_ratio_lower",
            "hazard_ratio_upper",
            "p_value",
            "proportionality_p_value",
            "concordance",
            "log_likelihood",
            "penalty",
        ]
    )
    assert np.isfinite(numbers).all(axis=None)


def test_everyone_lost_on_one_day_is_no_error() -> None:
    given = two_channels().assign(duration_days=7, is_lost=True)
    learned = survival.learn(given)
    assert np.isfinite(learned["hazard_coefficient"]).all()
    assert learned["proportionality_p_value"].isna().all()


def test_the_order_of_rows_plays_no_part() -> None:
    given = two_channels()
    given["duration_days"] = given["duration_days"] // 30 * 30
    shuffled = given.sample(frac=1, random_state=9)
    pd.testing.assert_frame_equal(
        survival.learn(shuffled), survival.learn(given), check_exact=True
    )


# -- SQL: the baseline --------------------------------------------------------------

MODELS = {
    "hazards": """{{ cumulative_hazard(
        'observations', 'days', 'is_event', 'log_hazard_ratio', ['sample']
    ) }}""",
    "plain_hazards": """{{ cumulative_hazard(
        'observations', 'days', 'is_event', group_columns=['sample']
    ) }}""",
    "single_hazard": "{{ cumulative_hazard('one_sample', 'days', 'is_event') }}",
    "rates": """select {{ survival_rate('hazard', 'log_hazard_ratio') }} as rate
        from (values (0.5, ln(2)), (0.0, 3.0), (1e6, 9.0))
        as given (hazard, log_hazard_ratio)""",
}


def samples() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield samples of days, events and linear predictors, with and without ties."""
    rng = np.random.default_rng(1972)
    for size in (2, 40, 2_000):
        for longest in (3, 50, None):
            days = (
                rng.permutation(size)
                if longest is None
                else rng.integers(0, longest, size)
            )
            kind = "distinct" if longest is None else f"up to {longest}"
            yield (
                f"{size} {kind}",
                pd.DataFrame(
                    {
                        "days": days,
                        "is_event": rng.random(size) < 0.7,
                        "log_hazard_ratio": rng.normal(0, 0.8, size),
                    }
                ),
            )


SAMPLES = dict(samples())


def efron(sample: pd.DataFrame) -> pd.Series:
    """Add the hazard up as the formula says, one event after the other."""
    risk = np.exp(sample["log_hazard_ratio"])
    total, hazards = 0.0, {}
    for day in np.unique(sample["days"]):
        lost = (sample["days"] == day) & sample["is_event"]
        at_risk, tied = risk[sample["days"] >= day].sum(), risk[lost].sum()
        turns = np.arange(lost.sum()) / max(1, lost.sum())
        total += (1 / (at_risk - tied * turns)).sum()
        hazards[day] = total
    return pd.Series(hazards)


@pytest.fixture(scope="module")
def hazards(macro_project: MacroProject) -> dict[str, pd.DataFrame]:
    """Return what the macros give for all samples, one table per model."""
    observations = pd.concat(
        frame.assign(sample=name) for name, frame in SAMPLES.items()
    )
    with duckdb.connect(str(macro_project.warehouse)) as database:
        database.register("given", observations)
        database.execute("create table observations as from given")
        database.execute(
            "create table one_sample as from given where sample = '40 up to 3'"
        )
    return macro_project.tables(MODELS)


def curve(table: pd.DataFrame, name: str) -> pd.Series:
    rows = table[table["sample"] == name].set_index("duration").sort_index()
    return rows["cumulative_hazard"]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_baseline_is_efrons(name: str, hazards: dict[str, pd.DataFrame]) -> None:
    found, expected = curve(hazards["hazards"], name), efron(SAMPLES[name])
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("name", [name for name in SAMPLES if "distinct" in name])
def test_without_ties_the_baseline_is_that_of_lifelines(
    name: str, hazards: dict[str, pd.DataFrame]
) -> None:
    sample = SAMPLES[name]
    partial = pd.DataFrame(
        {
            "T": sample["days"],
            "E": sample["is_event"].astype(int),
            "P": np.exp(sample["log_hazard_ratio"]),
            "W": 1.0,
        }
    )
    expected = SemiParametricPHFitter._compute_baseline_hazard(None, partial, "hazard")
    found = curve(hazards["hazards"], name)
    np.testing.assert_allclose(found, expected["hazard"].cumsum(), rtol=1e-9)


@pytest.mark.parametrize("name", SAMPLES)
def test_without_traits_the_baseline_is_that_of_lifelines(
    name: str, hazards: dict[str, pd.DataFrame]
) -> None:
    """Fleming and Harrington's, which lifelines calls smoothed Nelson-Aalen."""
    sample = SAMPLES[name]
    fitter = lifelines.NelsonAalenFitter(nelson_aalen_smoothing=True)
    expected = fitter.fit(sample["days"], sample["is_event"]).cumulative_hazard_
    found = curve(hazards["plain_hazards"], name)
    np.testing.assert_allclose(found, expected.loc[found.index].iloc[:, 0], rtol=1e-9)


def test_without_groups_there_is_one_baseline(
    hazards: dict[str, pd.DataFrame],
) -> None:
    single = hazards["single_hazard"].set_index("duration")["cumulative_hazard"]
    grouped = curve(hazards["plain_hazards"], "40 up to 3")
    np.testing.assert_array_equal(single.sort_index(), grouped)


def test_survival_rates_by_hand(hazards: dict[str, pd.DataFrame]) -> None:
    """exp(-0.5 x 2), exp(-0) and, of a hazard beyond all numbers, next to nothing."""
    rates = sorted(hazards["rates"]["rate"])
    assert rates[1:] == pytest.approx([np.exp(-1), 1])
    assert 0 <= rates[0] < 1e-290


# -- SQL: the demo shop -------------------------------------------------------------


def test_the_macros_name_the_traits_that_python_learns_from() -> None:
    folder = REPOSITORY / "macros" / "statistics"
    for file, traits in (
        ("survival_text_traits.sql", survival.TEXT_TRAITS),
        ("survival_amount_traits.sql", survival.LOGARITHMIC_TRAITS),
    ):
        text = (folder / file).read_text()
        named = text[text.index("return([") : text.index("])")].split("'")[1::2]
        assert tuple(named) == traits


def demo_lifetimes(demo: Warehouse, cutoff: str, relationship: str) -> pd.DataFrame:
    """Lifetimes of the demo shop, with the terms that were estimated."""
    with duckdb.connect(str(demo.path), read_only=True) as connection:
        given = connection.execute(
            "select * from intermediate.int_customer_lifetimes"
            " where cutoff = ? and relationship = ? order by customer_id",
            [cutoff, relationship],
        ).df()
        terms = connection.execute(
            "select * from learned.ml_survival_model where cutoff = ?"
            " and relationship = ? and hazard_standard_error is not null",
            [cutoff, relationship],
        ).df()
    frame = given[["customer_id", "duration_days", "is_lost"]].copy()
    for term in terms.itertuples():
        name = f"{term.survival_trait} {term.trait_level}"
        if term.is_amount:
            frame[name] = np.log1p(given[term.survival_trait])
        else:
            levels = survival.pooled_levels(
                given[term.survival_trait], given["is_lost"].to_numpy(bool)
            )
            frame[name] = (levels == term.trait_level).astype(float)
    return frame


@pytest.mark.parametrize("relationship", ["noncontractual", "contractual"])
def test_hazard_ratios_of_the_demo_are_the_shrunken_ones_of_lifelines(
    demo: Warehouse, relationship: str
) -> None:
    frame = demo_lifetimes(demo, "live", relationship).set_index("customer_id")
    fitter = lifelines.CoxPHFitter().fit(frame, "duration_days", "is_lost")
    gain = fitter.log_likelihood_ratio_test().test_statistic
    shrinkage = max(0, 1 - len(fitter.params_) / gain)
    expected = fitter.predict_log_partial_hazard(frame) * shrinkage
    found = dict(
        demo.query(
            "select customer_id, log_hazard_ratio from int_survival_hazards"
            f" where cutoff = 'live' and relationship = '{relationship}'"
        )
    )
    assert set(found) >= set(frame.index)
    np.testing.assert_allclose([found[one] for one in frame.index], expected, atol=1e-6)


def test_survival_of_contracts_is_that_of_lifelines_given_todays_age(
    demo: Warehouse,
) -> None:
    """Its own prediction after the fit, with shrunken effects and Efron's baseline."""
    frame = demo_lifetimes(demo, "live", "contractual").set_index("customer_id")
    fitter = lifelines.CoxPHFitter().fit(frame, "duration_days", "is_lost")
    gain = fitter.log_likelihood_ratio_test().test_statistic
    fitter._model.params_ *= max(0, 1 - len(fitter.params_) / gain)
    sample = pd.DataFrame(
        {
            "days": frame["duration_days"],
            "is_event": frame["is_lost"],
            "log_hazard_ratio": fitter.predict_log_partial_hazard(frame),
        }
    )
    # day by day: lifelines would draw straight lines between days with losses
    baseline = efron(sample).reindex(range(1200), method="ffill").fillna(0)
    fitter._model.baseline_cumulative_hazard_ = baseline.to_frame(
        "baseline cumulative hazard"
    )
    rows = demo.query(
        "select customer_id, stay_days, survival_3_months_rate"
        " from int_survival_predictions join int_customer_lifetimes"
        " using (cutoff, customer_id, relationship)"
        " where cutoff = 'live' and relationship = 'contractual'"
        " and stay_days = duration_days and stay_days + 90 <= last_day_number"
    )
    assert len(rows) > 20
    customer_ids, ages, found = zip(*rows, strict=True)
    expected = fitter.predict_survival_function(
        frame.loc[list(customer_ids)], times=[90], conditional_after=list(ages)
    )
    np.testing.assert_allclose(found, expected.loc[90], atol=1e-6)


def test_survival_of_buyers_by_the_formula(demo: Warehouse) -> None:
    """From the tables it rests on, customer by customer, written in Python."""
    baseline = dict(
        demo.query(
            "select day_number, cumulative_hazard from int_survival_baseline"
            " where cutoff = 'live' and relationship = 'noncontractual'"
        )
    )
    ((last, rate),) = demo.query(
        "select distinct last_day_number, daily_hazard from int_survival_baseline"
        " where cutoff = 'live' and relationship = 'noncontractual'"
    )
    loss = {
        (kind, days): share
        for kind, days, share in demo.query(
            "select buyer_class, silent_days, loss_rate from int_survival_silences"
            " where cutoff = 'live'"
        )
    }

    def hazard(day: int) -> float:
        return baseline[min(day, last)] + rate * max(0, day - last)

    def survival_after(days: int, row: tuple) -> float:
        age, silent, kind, threshold, ratio = row
        jump = -np.log(1 - min(0.999999, loss[kind, silent]))
        total = jump if days >= threshold - silent else 0
        total += max(0, hazard(age + days) - hazard(age + threshold))
        return np.exp(-total * np.exp(ratio))

    rows = demo.query(
        "select stay_days, silent_days, buyer_class, inactivity_days,"
        " log_hazard_ratio, survival_6_months_rate, median_remaining_days"
        " from int_survival_states as states"
        " join int_survival_hazards using (cutoff, customer_id, relationship)"
        " join int_customer_survival using (customer_id)"
        " where cutoff = 'live' and relationship = 'noncontractual'"
        " order by customer_id"
    )
    assert len(rows) > 500
    for *row, found, median in rows[::7]:
        assert found == pytest.approx(survival_after(181, row), abs=1e-9)
        assert survival_after(median, row) <= 0.5 + 1e-9
        assert survival_after(median - 1, row) > 0.5 - 1e-9


def test_the_demo_is_predicted_as_well_as_it_can_be(demo: Warehouse) -> None:
    """Right on average, within what chance allows, and better than age alone."""
    rows = demo.query(
        "select relationship, customer_count, mean_predicted_survival_rate,"
        " actual_survival_rate, survival_brier_score, age_survival_brier_score"
        " from fct_survival_backtest"
    )
    assert {row[0] for row in rows} == {"contractual", "noncontractual"}
    for relationship, count, predicted, actual, brier, age_brier in rows:
        chance = np.sqrt(actual * (1 - actual) / count)
        assert abs(predicted - actual) < 3 * chance
        if relationship == "noncontractual":
            assert brier < 0.8 * age_brier


def test_affiliates_leave_faster_as_was_put_into_the_demo(
    demo: Warehouse, truth: dict
) -> None:
    """They are the likeliest to drop out after a purchase: a / (a + b) = 1 / 3."""
    drop_out = {
        name: channel["bgnbd"]["a"] / (channel["bgnbd"]["a"] + channel["bgnbd"]["b"])
        for name, channel in truth["channels"].items()
    }
    ratios = dict(
        demo.query(
            "select trait_level, hazard_ratio from fct_hazard_ratios"
            " where relationship = 'noncontractual'"
            " and survival_trait = 'acquisition_channel' and trait_level != 'other'"
        )
    )
    assert max(ratios, key=ratios.get) == max(drop_out, key=drop_out.get)
    names = sorted(ratios)
    ranks = pd.DataFrame({"in": drop_out, "out": ratios}).loc[names].corr("spearman")
    assert ranks.loc["in", "out"] > 0.5


def test_everyone_who_is_not_lost_has_a_survival(demo: Warehouse) -> None:
    ((missing, extra),) = demo.query(
        "select count(*) filter (where survival.customer_id is null),"
        " count(*) filter (where churn.customer_id is null)"
        " from (select * from fct_customer_churn where not is_churned) as churn"
        " full join int_customer_survival as survival using (customer_id)"
    )
    assert (missing, extra) == (0, 0)
