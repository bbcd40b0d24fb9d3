"""What is learned of who leaves: against scikit-learn, statsmodels and by hand."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, Warehouse, python_model

churn = python_model("ml_churn_model")

MACROS = REPOSITORY / "macros" / "statistics"


def customers(
    count: int = 600, relationship: str = "noncontractual", seed: int = 1
) -> pd.DataFrame:
    """Customers of a small made-up shop and who of them left.

    The log odds of leaving rise with the silence and fall with the frequency; customers
    of the channel `ads` and of the plan `monthly` leave sooner.
    """
    random = np.random.default_rng(seed)
    numeric = churn.TRAITS + churn.CONTRACT_TRAITS
    table = pd.DataFrame({trait: random.gamma(1, 10, count) for trait in numeric})
    table["margin_rate"] = random.uniform(-1, 1, count)
    table["acquisition_channel"] = random.choice(["ads", "friends", "press"], count)
    table["plan"] = random.choice(["monthly", "yearly"], count)
    table["payment_method"] = random.choice(["card", "bill"], count)
    log_odds = (
        1.5 * np.log1p(table["days_since_last_purchase"])
        - 1.5 * np.log1p(table["frequency"])
        + 1.0 * (table["acquisition_channel"] == "ads")
        + 1.0 * (table["plan"] == "monthly") * (relationship == "contractual")
    )
    table["has_left"] = random.uniform(size=count) < churn.sigmoid(log_odds)
    table["customer_id"] = [f"c{number:05}" for number in range(count)]
    return table.assign(relationship=relationship, cutoff="train")


@pytest.fixture(scope="module")
def contractual() -> pd.DataFrame:
    """What was learned of 600 customers with contracts."""
    return churn.learn(customers(relationship="contractual"))


def probabilities(
    learned: pd.DataFrame, table: pd.DataFrame, learner: str
) -> np.ndarray:
    """Score customers by the learned rows alone, as SQL does."""
    rows = learned[learned["churn_learner"] == learner]
    decision = np.zeros(len(table))
    for row in rows.itertuples():
        if row.churn_term == "intercept":
            decision += row.decision_coefficient
            continue
        if pd.isna(row.term_level):
            values = table[row.churn_term].to_numpy(dtype=float)
            values = np.log1p(values) if row.is_logarithm else values
        else:
            values = (table[row.churn_term] == row.term_level).to_numpy(dtype=float)
        if row.term_standard_deviation > 0:
            decision += (
                row.decision_coefficient
                * (values - row.term_mean)
                / row.term_standard_deviation
            )
    first = rows.iloc[0]
    return 1 / (
        1
        + np.exp(-(first["calibration_slope"] * decision + first.calibration_intercept))
    )


def test_the_traits_are_those_of_the_warehouse():
    names = {
        macro: re.findall(r"'(\w+)'", (MACROS / f"{macro}.sql").read_text())
        for macro in ("numeric_traits", "text_traits")
    }
    assert names["numeric_traits"] == [*churn.TRAITS, *churn.CONTRACT_TRAITS]
    assert names["text_traits"] == [*churn.TEXT_TRAITS, *churn.CONTRACT_TEXT_TRAITS]
    assert set(churn.AS_THEY_ARE) < set(churn.TRAITS)


def test_lines_are_those_of_scikit_learn_on_a_pipeline_of_its_own():
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import (
        FunctionTransformer,
        OneHotEncoder,
        StandardScaler,
    )

    table = customers()
    skewed = [trait for trait in churn.TRAITS if trait not in churn.AS_THEY_ARE]
    reference = make_pipeline(
        make_column_transformer(
            (make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), skewed),
            (StandardScaler(), list(churn.AS_THEY_ARE)),
            (OneHotEncoder(sparse_output=False), ["acquisition_channel"]),
        ),
        LogisticRegression(C=0.1, solver="lbfgs", tol=1e-10, max_iter=5000),
    ).fit(table, table["has_left"])

    _, columns = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    intercept, coefficients = churn.decision_line(
        "logistic", 0.1, columns, table["has_left"].to_numpy()
    )
    found = intercept + columns @ coefficients
    assert found == pytest.approx(reference.decision_function(table), abs=1e-5)


def test_a_support_vector_machine_has_the_smallest_squared_hinge_loss():
    from scipy.optimize import minimize

    table = customers()
    _, columns = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    sides = np.where(table["has_left"], 1.0, -1.0)

    # liblinear holds back the intercept too
    def objective(line: np.ndarray) -> float:
        shortfall = np.maximum(0, 1 - sides * (line[0] + columns @ line[1:]))
        return 0.5 * line @ line + 0.1 * np.sum(shortfall**2)

    best = minimize(objective, np.zeros(columns.shape[1] + 1), options={"gtol": 1e-8})
    intercept, coefficients = churn.decision_line(
        "linear_svm", 0.1, columns, table["has_left"].to_numpy()
    )
    assert [intercept, *coefficients] == pytest.approx(list(best.x), abs=1e-3)


def test_the_sigmoid_is_a_binomial_regression_on_platts_targets():
    import statsmodels.api as sm

    random = np.random.default_rng(3)
    decisions = random.normal(5, 20, 400)
    churned = random.uniform(size=400) < churn.sigmoid(0.1 * decisions - 1)
    leavers, stayers = churned.sum(), (~churned).sum()
    targets = np.where(churned, (leavers + 1) / (leavers + 2), 1 / (stayers + 2))
    reference = sm.GLM(
        targets, sm.add_constant(decisions), family=sm.families.Binomial()
    ).fit(tol=1e-12)
    slope, intercept = churn.platt_sigmoid(decisions, churned)
    assert [intercept, slope] == pytest.approx(list(reference.params), rel=1e-6)


def test_decisions_that_tell_everyone_apart_still_give_finite_probabilities():
    decisions = np.repeat([-1.0, 1.0], 50)
    slope, intercept = churn.platt_sigmoid(decisions, decisions > 0)
    # Platt's targets: 51 / 52 and 1 / 52
    assert churn.sigmoid(slope + intercept) == pytest.approx(51 / 52, abs=1e-6)
    assert churn.sigmoid(-slope + intercept) == pytest.approx(1 / 52, abs=1e-6)


@pytest.mark.parametrize(
    "decisions", [np.zeros(90), np.repeat([1.0, -1.0, 0.0], 30)], ids=["same", "worse"]
)
def test_decisions_no_better_than_chance_give_everyone_the_average(decisions):
    churned = np.repeat([False, True, False], 30)
    slope, intercept = churn.platt_sigmoid(decisions, churned)
    targets = (30 * 31 / 32 + 60 / 62) / 90
    assert slope == 0
    assert churn.sigmoid(intercept) == pytest.approx(targets, rel=1e-12)


def test_measures_and_lift_by_hand():
    # risks .9 .8 .8 .4 .2, of whom the first, the third and the fourth left
    risks = np.array([0.9, 0.8, 0.8, 0.4, 0.2])
    churned = np.array([True, False, True, True, False])
    found = churn.measures_of(risks, churned)
    # pairs: .9 beats both; .8 one half and one; .4 none and one: 4.5 of 6
    assert found["auc"] == pytest.approx(4.5 / 6)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert found["brier_score"] == pytest.approx((0.01 + 0.64 + 0.04 + 0.36 + 0.04) / 5)
    assert found["log_loss"] == pytest.approx(
        -np.log([0.9, 0.2, 0.8, 0.4, 0.8]).sum() / 5
    )
    # a tenth is half of the first customer
    assert found["top_decile_lift"] == pytest.approx(1 / 0.6)


def test_of_equal_risks_each_counts_with_the_part_that_fits_into_the_top_tenth():
    risks = np.array([0.9, 0.8, 0.8, 0.8] + [0.1] * 16)
    churned = np.array([True, True, False, False] + [False] * 16)
    # a tenth is two: the first, and a third of each of the three equals
    expected = (1 + 1 / 3) / 2 / (2 / 20)
    assert churn.top_decile_lift(risks, churned) == pytest.approx(expected)


def test_out_of_fold_decisions_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    table = customers()
    churned = table["has_left"].to_numpy()
    _, columns = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    folds = StratifiedKFold(5, shuffle=True, random_state=churn.SEED)
    found, _ = churn.cross_validated(
        lambda columns, churned: churn.decision_line("logistic", 0.1, columns, churned),
        list(folds.split(columns, churned)),
        columns,
        churned,
    )
    reference = cross_val_predict(
        LogisticRegression(C=0.1, tol=1e-10, max_iter=5000),
        columns,
        churned,
        cv=folds,
        method="decision_function",
    )
    assert found == pytest.approx(reference, abs=1e-5)


def test_the_sigmoid_of_a_customer_was_fitted_to_others():
    random = np.random.default_rng(1)
    decided = random.normal(size=200)
    churned = random.uniform(size=200) < churn.sigmoid(decided)
    folds = [
        (np.arange(100, 200), np.arange(100)),
        (np.arange(100), np.arange(100, 200)),
    ]
    _, found = churn.cross_validated(
        lambda columns, churned: (0.0, np.ones(1)), folds, decided[:, None], churned
    )
    slope, intercept = churn.platt_sigmoid(decided[100:], churned[100:])
    assert found[:100] == pytest.approx(
        churn.sigmoid(slope * decided[:100] + intercept)
    )


def test_the_learned_rows_alone_tell_who_leaves(contractual):
    from sklearn.metrics import roc_auc_score

    others = customers(4000, "contractual", seed=2)
    for learner in churn.LEARNERS:
        found = probabilities(contractual, others, learner)
        said = contractual.loc[contractual["churn_learner"] == learner].iloc[0]
        # cross-validation said how well, within its error
        auc = roc_auc_score(others["has_left"], found)
        assert auc == pytest.approx(said["cross_validated_auc"], abs=0.03)
        assert auc > 0.8
        # and the probabilities are right on the whole
        assert found.mean() == pytest.approx(others["has_left"].mean(), abs=0.03)


def test_coefficients_have_the_signs_that_were_put_in(contractual):
    of_logistic = contractual[contractual["churn_learner"] == "logistic"]
    terms = of_logistic.set_index(["churn_term", of_logistic["term_level"].fillna("")])
    slopes = terms["decision_coefficient"]
    assert slopes["days_since_last_purchase", ""] > 0.5
    assert slopes["frequency", ""] < -0.5
    assert slopes["acquisition_channel", "ads"] > slopes["acquisition_channel", "press"]
    assert slopes["plan", "monthly"] > slopes["plan", "yearly"]
    own = terms["own_correlation"]
    table = customers(relationship="contractual")
    assert own["frequency", ""] == pytest.approx(
        np.corrcoef(np.log1p(table["frequency"]), table["has_left"])[0, 1]
    )
    assert own["plan", "monthly"] == pytest.approx(
        np.corrcoef(table["plan"] == "monthly", table["has_left"])[0, 1]
    )


def test_contract_traits_are_learned_from_with_contracts_only(contractual):
    without = churn.learn(customers())
    contract = {*churn.CONTRACT_TRAITS, *churn.CONTRACT_TEXT_TRAITS}
    assert contract <= set(contractual["churn_term"])
    assert not contract & set(without["churn_term"])


def test_the_smaller_log_loss_wins_and_the_logistic_regression_on_a_tie(
    contractual, monkeypatch
):
    losses = contractual.groupby("is_winner")["cross_validated_log_loss"].first()
    assert losses[True] <= losses[False]
    same = churn.decision_line
    monkeypatch.setattr(
        churn, "decision_line", lambda _, *others: same("logistic", *others)
    )
    tied = churn.learn(customers())
    assert set(tied[tied["is_winner"]]["churn_learner"]) == {"logistic"}


def test_each_cutoff_and_relationship_is_learned_for_itself():
    kinds = [
        customers(300, relationship, seed).assign(cutoff=cutoff)
        for seed, (cutoff, relationship) in enumerate(
            (cutoff, relationship)
            for cutoff in ("test", "train")
            for relationship in ("contractual", "noncontractual")
        )
    ]
    together = churn.learn(pd.concat(kinds))
    for kind in kinds:
        alone = churn.learn(kind)
        keys = ["cutoff", "relationship"]
        same = together[(together[keys] == alone[keys].iloc[0]).all(axis=1)]
        pd.testing.assert_frame_equal(
            same.reset_index(drop=True), alone, check_exact=True
        )


def test_the_order_of_customers_plays_no_part():
    table = customers(300)
    pd.testing.assert_frame_equal(
        churn.learn(table),
        churn.learn(table.sample(frac=1, random_state=1)),
        check_exact=True,
    )


@pytest.mark.parametrize("leavers", [49, 251])
def test_too_few_who_left_or_stayed_teach_nothing(leavers):
    table = customers(300).assign(has_left=np.arange(300) < leavers)
    assert churn.learn(table).empty
    assert dict(churn.learn(table).dtypes) == {
        name: pd.Series(dtype=kind).dtype for name, kind in churn.COLUMNS.items()
    }
    enough = churn.learn(table.assign(has_left=np.arange(300) < 50))
    assert (enough["churner_count"] == 50).all()


def test_no_customers_teach_nothing():
    assert churn.learn(customers(10).head(0)).empty


def test_a_trait_that_is_the_same_for_everyone_adds_nothing():
    learned = churn.learn(customers(300).assign(satisfaction_score=7.3))
    rows = learned[learned["churn_term"] == "satisfaction_score"]
    assert (rows[["decision_coefficient", "own_correlation"]] == 0).all(axis=None)
    assert (rows["term_standard_deviation"] == 0).all()
    numbers = learned.select_dtypes("float64")
    assert np.isfinite(numbers).all(axis=None)


def test_rare_levels_have_no_term_and_one_level_for_all_neither():
    table = customers(300)
    table["acquisition_channel"] = np.where(np.arange(300) < 19, "rare", "common")
    terms, columns = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    assert [term.level for term in terms if term.level] == ["common"]
    assert columns.shape == (300, len(churn.TRAITS) + 1)
    table["acquisition_channel"] = "only"
    terms, _ = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    assert not [term for term in terms if term.level]
    # of many customers twenty are no longer one per cent
    table = customers(3000)
    table["acquisition_channel"] = np.where(table.index < 29, "rare", "common")
    terms, _ = churn.terms_of(table, churn.TRAITS, churn.TEXT_TRAITS)
    assert [term.level for term in terms if term.level] == ["common"]


def test_traits_that_say_the_same_share_their_effect():
    table = customers(400)
    table["age_days"] = table["days_since_last_purchase"]
    learned = churn.learn(table)
    for learner in churn.LEARNERS:
        terms = learned[learned["churn_learner"] == learner].set_index("churn_term")
        slopes = terms["decision_coefficient"]
        assert slopes["age_days"] == pytest.approx(
            slopes["days_since_last_purchase"], abs=1e-4
        )


def test_what_is_noise_is_called_noise():
    table = customers(400)
    random = np.random.default_rng(9)
    learned = churn.learn(table.assign(has_left=random.uniform(size=400) < 0.4))
    assert learned["cross_validated_auc"].between(0.4, 0.6).all()
    # not worse than telling everyone the average, by more than chance
    assert (learned["cross_validated_log_loss"] < 0.673 + 0.03).all()


def test_tuning_on_some_customers_is_near_tuning_on_all(monkeypatch):
    table = customers(1200)
    all_of_them = churn.learn(table)
    monkeypatch.setattr(churn, "TUNING_CUSTOMERS", 700)
    some = churn.learn(table)
    assert some["customer_count"].iloc[0] == 1200
    assert some["cross_validated_auc"].iloc[0] == pytest.approx(
        all_of_them["cross_validated_auc"].iloc[0], abs=0.03
    )


def test_ten_digits_are_kept():
    table = pd.DataFrame({"x": [1 / 3, -200000 / 3, 0.0, np.nan]})
    found = churn.rounded(table)["x"].to_numpy()
    assert found[:2] == pytest.approx([0.3333333333, -66666.66667], rel=1e-15)
    assert found[2] == 0
    assert np.isnan(found[3])


# -- In the warehouse -----------------------------------------------------------------


def frame(warehouse: Warehouse, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Columns of a table."""
    rows = warehouse.query(f"select {', '.join(columns)} from {table}")
    return pd.DataFrame(rows, columns=list(columns))


def test_the_backtest_is_that_of_scikit_learn(demo):
    from sklearn import metrics

    methods = ("logistic", "linear_svm", "p_alive", "expected_purchases", "recency")
    names = [
        f"{method}_{kind}" for method in methods for kind in ("risk", "probability")
    ]
    known = frame(demo, "int_churn_predictions", ("relationship", "has_left", *names))
    found = demo.query(
        "select relationship, churn_method, customer_count, churner_count, auc,"
        " average_precision, log_loss, brier_score, top_decile_lift"
        " from fct_churn_backtest where evaluation = 'later window'"
    )
    assert {row[1] for row in found if row[0] == "noncontractual"} == set(methods)
    for relationship, method, *figures in found:
        judged = known[known["relationship"] == relationship]
        left = judged["has_left"].to_numpy(dtype=bool)
        risk = judged[f"{method}_risk"].to_numpy(dtype=float)
        probability = judged[f"{method}_probability"].to_numpy(dtype=float)
        expected = [
            len(left),
            left.sum(),
            metrics.roc_auc_score(left, risk),
            metrics.average_precision_score(left, risk),
            None
            if np.isnan(probability).any()
            else metrics.log_loss(left, probability),
            None
            if np.isnan(probability).any()
            else metrics.brier_score_loss(left, probability),
            churn.top_decile_lift(risk, left),
        ]
        assert figures == [
            value if value is None else pytest.approx(value, rel=1e-9)
            for value in expected
        ], (relationship, method)


def test_tenths_by_probability_add_up_to_the_customers_judged(demo):
    known = frame(
        demo, "int_churn_predictions", ("relationship", "has_left", "logistic_risk")
    ).dropna()
    # equal probabilities stay together, in the tenth of their last
    up_to = known["logistic_risk"].rank(method="max")
    tenth = np.ceil(10 * up_to / len(known)).astype(int)
    expected = known.groupby(tenth)["has_left"].agg(["size", "sum"])
    found = demo.query(
        "select risk_decile, customer_count, churner_count from fct_churn_calibration"
        " where churn_method = 'logistic' and relationship = 'noncontractual'"
        " order by 1"
    )
    assert found == [(*row,) for row in expected.itertuples()]


def test_sql_scores_as_python_learned(demo):
    learned = frame(demo, "learned.ml_churn_model", tuple(churn.COLUMNS))
    winner = learned[(learned["cutoff"] == "train") & learned["is_winner"]]
    assert set(winner["relationship"]) == {"noncontractual"}
    traits = frame(
        demo,
        "int_customer_traits where cutoff = 'live' and relationship = 'noncontractual'",
        ("customer_id", *churn.TRAITS, *churn.TEXT_TRAITS),
    )
    found = dict(
        demo.query("select customer_id, churn_probability_rate from fct_customer_churn")
    )
    expected = probabilities(winner, traits, winner["churn_learner"].iloc[0])
    assert [found[customer] for customer in traits["customer_id"]] == pytest.approx(
        list(expected), rel=1e-7
    )


def test_reasons_are_the_largest_effects_that_speak_for_themselves(demo):
    learned = frame(demo, "learned.ml_churn_model", tuple(churn.COLUMNS))
    winner = learned[(learned["cutoff"] == "train") & learned["is_winner"]]
    words = {row[0]: row[1:] for row in demo.query("select * from trait_words")}
    traits = frame(
        demo,
        "int_customer_traits where cutoff = 'live' and relationship = 'noncontractual'",
        ("customer_id", *churn.TRAITS, *churn.TEXT_TRAITS),
    )
    found = {
        row[0]: list(row[1:])
        for row in demo.query(
            "select customer_id, churn_reason_1, churn_reason_2, churn_reason_3"
            " from fct_customer_churn"
        )
    }
    effects: dict[str, list[tuple[float, str]]] = {
        customer: [] for customer in traits["customer_id"]
    }
    slope = winner["calibration_slope"].iloc[0]
    for trait in churn.TRAITS:
        term = winner[winner["churn_term"] == trait].iloc[0]
        if term.decision_coefficient * term.own_correlation <= 0:
            continue
        values = traits[trait].to_numpy()
        values = np.log1p(values) if term.is_logarithm else values
        adds = slope * term.decision_coefficient
        adds = adds * (values - term.term_mean) / term.term_standard_deviation
        word = words[trait][1 if term.decision_coefficient > 0 else 2]
        for customer, add in zip(
            traits["customer_id"], adds - adds.mean(), strict=True
        ):
            effects[customer].append((add, word))
    levels = winner[winner["churn_term"] == "acquisition_channel"]
    levels = levels.set_index("term_level")
    average = traits["acquisition_channel"].map(levels["decision_coefficient"])
    average = average.fillna(0).mean()
    for customer, level in zip(
        traits["customer_id"], traits["acquisition_channel"], strict=True
    ):
        if level in levels.index and levels["own_correlation"][level] > 0:
            add = slope * (levels["decision_coefficient"][level] - average)
            effects[customer].append((add, f"acquisition channel: {level}"))
    for customer, adds in effects.items():
        named = [word for add, word in sorted(adds)[::-1] if add >= np.log(1.1)][:3]
        assert found[customer] == named + [None] * (3 - len(named))


def test_a_contract_shop_in_the_form_of_the_telco_file_is_told_as_well_as_can_be(
    warehouse, tmp_path
):
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(5)
    count = 2000
    table = pd.DataFrame(
        {
            "customerID": [f"T{number:04}" for number in range(count)],
            "gender": "Female",
            "tenure": random.integers(1, 73, count),
            "InternetService": random.choice(["DSL", "Fiber optic", "No"], count),
            "Contract": random.choice(
                ["Month-to-month", "One year", "Two year"], count
            ),
            "PaymentMethod": random.choice(["Electronic check", "Mailed check"], count),
            "MonthlyCharges": random.uniform(20, 110, count).round(2),
        }
    )
    log_odds = (
        1.0
        - 0.8 * np.log(table["tenure"])
        + 1.2 * (table["InternetService"] == "Fiber optic")
        - 2.0 * (table["Contract"] != "Month-to-month")
        + 0.7 * (table["PaymentMethod"] == "Electronic check")
    )
    has_left = random.uniform(size=count) < churn.sigmoid(log_odds)
    table["Churn"] = np.where(has_left, "Yes", "No")
    table.to_csv(tmp_path / "telco.csv", index=False)
    subprocess.run(
        [
            sys.executable,
            "scripts/prepare_example.py",
            "examples/telco.sql",
            str(tmp_path / "telco.csv"),
            str(tmp_path / "input"),
        ],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    warehouse.build(
        "--select",
        "+fct_churn_backtest +fct_customer_churn",
        inputs=tmp_path / "input",
        settings={
            "as_of_date": "2020-01-31",
            "holdout_days": 31,
            "reporting_currency": "USD",
        },
    )
    judged = warehouse.query(
        "select churn_method, customer_count, churner_count, auc"
        " from fct_churn_backtest where evaluation = 'cross-validation' order by 1"
    )
    assert [row[0] for row in judged] == ["linear_svm", "logistic"]
    # as well as who knows the odds that were put in
    best = roc_auc_score(has_left, log_odds)
    for _, customer_count, churner_count, auc in judged:
        assert (customer_count, churner_count) == (count, has_left.sum())
        assert auc == pytest.approx(best, abs=0.02)
    # who left is not scored; a plan is named where it is what speaks for leaving
    scored = warehouse.query(
        "select not_scored_reason, count(*), count(churn_probability_rate)"
        " from fct_customer_churn group by all order by all"
    )
    assert scored == [
        # their contract has ended: what they do next hangs on their buying alone
        ("nothing learned", has_left.sum(), 0),
        (None, count - has_left.sum(), count - has_left.sum()),
    ]
    reasons = {
        reason
        for row in warehouse.query(
            "select distinct churn_reason_1, churn_reason_2 from fct_customer_churn"
        )
        for reason in row
    }
    assert "plan: Fiber optic" in reasons
    assert "plan: DSL" not in reasons
