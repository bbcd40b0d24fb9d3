"""The contract process against published fits, closed forms and simulations.

The SQL macros are rendered by one dbt run in a project of their own, which has nothing
but the macros of this one; the models are built on the demo shop and on shops written
here.
"""

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import MacroProject, Warehouse, python_model, write_orders
from scipy.special import betaln, hyp2f1

contracts = python_model("ml_contract_process")

# Fader & Hardie 2007, How to project customer retention (Journal of Interactive
# Marketing 21(1)): customers of 1,000 still there after 0 to 7 years
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241)


def histogram(survivors) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn a survival table into renewals survived, whether ended, and counts."""
    survivors = np.array(survivors)
    last = len(survivors) - 1
    return (
        np.append(np.arange(last), last),
        np.append(np.ones(last, dtype=bool), False),
        np.append(-np.diff(survivors), survivors[-1]),
    )


def survival(alpha, beta, age, further):
    """S(n + k) / S(n) by beta functions."""
    return np.exp(betaln(alpha, beta + age + further) - betaln(alpha, beta + age))


def derl(alpha, beta, age, discount_rate):
    """Fader & Hardie 2010 (Marketing Science 29(1)): DERL right before a renewal.

    Discounted expected residual lifetime, over an infinite horizon, of a customer who
    has survived `age` renewals and stands before the next.
    """
    return (
        (beta + age)
        / (alpha + beta + age)
        * hyp2f1(1, beta + age + 1, alpha + beta + age + 1, 1 / (1 + discount_rate))
    )


def simulate(generator, alpha, beta, observed) -> pd.DataFrame:
    """Draw contracts, each observed for a number of renewals, and count them."""
    leaves = np.clip(generator.beta(alpha, beta, len(observed)), 1e-12, 1)
    lengths = generator.geometric(leaves)
    frame = pd.DataFrame(
        {
            "renewal_count": np.minimum(lengths - 1, observed),
            "is_ended": lengths <= observed,
        }
    )
    return frame.value_counts().rename("contract_count").reset_index()


# -- The fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta"),
    [
        pytest.param(HIGH_END, 0.66809, 3.80610, id="high_end_of_7_years"),
        pytest.param(REGULAR, 0.70408, 1.18204, id="regular_of_7_years"),
        pytest.param(HIGH_END[:6], 0.87538, 5.16166, id="high_end_of_5_years"),
        pytest.param(REGULAR[:6], 0.73701, 1.24534, id="regular_of_5_years"),
    ],
)
def test_the_fit_has_the_published_parameters(survivors, alpha, beta):
    """Fader & Hardie 2007, to the digits of their spreadsheet."""
    found = contracts.fit(*histogram(survivors))
    assert found.is_converged
    assert not found.is_regularised
    assert found.parameters == pytest.approx([alpha, beta], abs=2e-5)
    assert found.gradient_norm < 1e-6


@pytest.mark.parametrize(
    ("survivors", "expected"), [(HIGH_END, -1611.1581), (REGULAR, -1680.2652)]
)
def test_the_log_likelihood_is_the_published_one(survivors, expected):
    """Per 1,000 customers."""
    assert contracts.fit(*histogram(survivors)).log_likelihood == pytest.approx(
        expected, abs=1e-4
    )


def test_five_years_project_the_seventh():
    """About .470 of the high-end customers; .491 were there.

    By the recursion of the paper, S(t) = S(t - 1) (b + t - 1) / (a + b + t - 1), with
    its a = .87538 and b = 5.16166: .85500 x .87560 x .89108 ... = .46950.
    """
    alpha, beta = contracts.fit(*histogram(HIGH_END[:6])).parameters
    share = 1.0
    for year in range(1, 8):
        share *= (5.16166 + year - 1) / (0.87538 + 5.16166 + year - 1)
    assert share == pytest.approx(0.46950, abs=1e-5)
    assert float(survival(alpha, beta, 0, 7)) == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize(
    "parameters", [(0.05, 0.02), (0.7, 1.2), (5.0, 60.0), (300.0, 9_000.0)]
)
def test_the_gradient_is_the_slope_of_the_log_likelihood(parameters):
    """Against central differences."""
    point = np.array(parameters)
    data = histogram(REGULAR)
    gradient = contracts.log_likelihood(point, *data)[1]
    for which in range(2):
        step = np.zeros(2)
        step[which] = point[which] * 1e-5
        above = contracts.log_likelihood(point + step, *data)[0]
        below = contracts.log_likelihood(point - step, *data)[0]
        assert gradient[which] == pytest.approx(
            (above - below) / (2 * step[which]), rel=1e-5, abs=1e-6
        )


def test_probabilities_follow_the_recursion_of_the_paper_and_add_up_to_one():
    """P(1) = a / (a + b), P(t) = P(t - 1) (b + t - 2) / (a + b + t - 1); S the rest."""
    alpha, beta = 0.9, 3.6
    expected, rest = alpha / (alpha + beta), 1.0
    for renewals in range(50):
        one = np.ones(1)
        left = np.exp(
            contracts.log_likelihood((alpha, beta), renewals * one, one, one)[0]
        )
        stays = np.exp(
            contracts.log_likelihood((alpha, beta), (renewals + 1) * one, 0 * one, one)[
                0
            ]
        )
        assert left == pytest.approx(expected, rel=1e-12)
        rest -= expected
        assert stays == pytest.approx(rest, abs=1e-12)
        expected *= (beta + renewals) / (alpha + beta + renewals + 1)


def test_rows_may_come_in_any_order():
    """The table of what was learned is the same to the last bit."""
    counted = simulate(np.random.default_rng(1), 0.9, 3.6, np.full(500, 24))
    shuffled = counted.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        contracts.learn(counted), contracts.learn(shuffled), check_exact=True
    )


def test_intervals_cover_the_truth_in_their_share_of_shops():
    """Of 200 shops: 95 % +- 3 standard errors of 1.54 % for each parameter."""
    generator = np.random.default_rng(2007)
    truth = np.array([0.9, 3.6])
    covered = np.zeros(2)
    for _ in range(200):
        counted = simulate(generator, *truth, generator.integers(1, 37, 1_500))
        found = contracts.fit(
            counted["renewal_count"], counted["is_ended"], counted["contract_count"]
        )
        away = np.log(found.parameters / truth) / np.sqrt(np.diag(found.covariance))
        covered += np.abs(away) < 1.96
    assert (np.abs(covered / 200 - 0.95) < 0.0462).all(), covered


OPEN = {
    "none_ended": ([5, 12], [False, False], [40, 60]),
    "all_left_at_the_first": ([0], [True], [50]),
    "none_came_to_a_second_renewal": ([0, 1], [True, False], [30, 70]),
    # a tenth leaves each time: no one differs
    "all_alike": (
        [0, 1, 2, 3, 3],
        [True, True, True, True, False],
        [1000, 900, 810, 729, 6561],
    ),
    # a million, of whom the same number leaves each time
    "more_leave_the_longer_they_stay": (
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [True] * 10,
        [100_000] * 10,
    ),
    "years_and_years": ([600, 600], [True, False], [5, 5]),
}


@pytest.mark.parametrize("name", OPEN)
def test_a_weak_prior_decides_what_the_data_leave_open(name):
    """The row is finite and says so; the share renewed is near the observed one."""
    renewals, is_ended, count = (np.array(column) for column in OPEN[name])
    table = contracts.learn(
        pd.DataFrame(
            {"renewal_count": renewals, "is_ended": is_ended, "contract_count": count}
        )
    )
    assert len(table) == 1
    row = table.iloc[0]
    assert row["is_regularised"]
    numbers = table.select_dtypes("number").to_numpy(dtype=float)
    assert np.isfinite(numbers).all()
    assert row["alpha_standard_error"] > 0 and row["beta_standard_error"] > 0
    renewed = renewals @ count / (renewals @ count + is_ended @ count)
    modelled = row["beta"] / (row["alpha"] + row["beta"])
    assert modelled == pytest.approx(renewed, abs=0.06)


def test_too_few_contracts_are_no_row_but_a_typed_table():
    """Nine that came to a renewal; the running ones of the first month do not count."""
    nine = pd.DataFrame(
        {
            "renewal_count": [0, 0, 3],
            "is_ended": [False, True, False],
            "contract_count": [500, 4, 5],
        }
    )
    for counted in (nine, nine.iloc[:0]):
        table = contracts.learn(counted)
        assert table.empty
        assert duckdb.from_df(table).types == [
            "VARCHAR",
            *["BIGINT"] * 2,
            *["DOUBLE"] * 9,
            "BOOLEAN",
        ]
    nine.loc[1, "contract_count"] = 5
    assert len(contracts.learn(nine)) == 1


def test_negative_numbers_are_refused():
    """With a message that says what is wrong."""
    with pytest.raises(ValueError, match="at least 0"):
        contracts.fit([-1], [True], [10])
    with pytest.raises(ValueError, match="at least 0"):
        contracts.fit([1], [True], [-10])


# -- The macros -----------------------------------------------------------------------

MODELS = {
    "retention": """
        select
            alpha, beta, age, {{ sbg_retention_rate('alpha', 'beta', 'age') }} as rate
        from cases
    """,
    "survival": """
        select
            alpha, beta, age, k,
            {{ sbg_survival_rate(
                'alpha', 'beta', 'age', 'k', ['alpha', 'beta', 'age']
            ) }} as rate
        from cases cross join (select unnest(range(1, 61)) as k)
    """,
    "outside": """
        select
            {{ sbg_retention_rate('null', '1', '0') }} as without_alpha,
            {{ sbg_retention_rate('0', '1', '0') }} as alpha_of_nothing,
            {{ sbg_retention_rate('1', '-1', '5') }} as beta_below_nothing,
            {{ sbg_retention_rate('1', '1', '-1') }} as before_the_start,
            {{ sbg_retention_rate('0.668', '3.806', '4') }} as of_numbers,
            {{ sbg_retention_rate('0.3 + 0.7', '2 - 1', '1 + 1') }} as of_expressions
    """,
}


@pytest.fixture(scope="module")
def tables(macro_project: MacroProject) -> dict[str, pd.DataFrame]:
    """What the macros give for all cases, one table per model."""
    with duckdb.connect(str(macro_project.warehouse)) as database:
        database.execute("""
            create table cases as
            select a.x as alpha, b.x as beta, n.x as age
            from (values (0.001e0), (0.668), (1), (40), (3000)) as a (x),
                (values (0.01e0), (1.182), (3.806), (500), (90000)) as b (x),
                (values (0), (1), (7), (240)) as n (x)
        """)
    return macro_project.tables(MODELS)


def test_retention_is_the_ratio_of_beta_functions(tables):
    """S(n + 1) / S(n), to nine digits (the beta functions have no more)."""
    table = tables["retention"]
    assert len(table) == 100
    np.testing.assert_allclose(
        table["rate"],
        survival(table["alpha"], table["beta"], table["age"], 1),
        rtol=1e-9,
    )


def test_survival_is_the_ratio_of_beta_functions(tables):
    """S(n + k) / S(n) for k to 60."""
    table = tables["survival"]
    assert len(table) == 6_000
    expected = survival(table["alpha"], table["beta"], table["age"], table["k"])
    np.testing.assert_allclose(table["rate"], expected, rtol=1e-9, atol=1e-12)
    assert table["rate"].between(0, 1).all()


def test_discounted_survival_is_derl_less_what_lies_beyond_the_horizon(tables):
    """Fader & Hardie's DERL / (1 + d), less that of those there after month 60."""
    discount_rate = 1.1 ** (1 / 12) - 1
    table = tables["survival"]
    # scipy's 2F1 has no value for the oldest
    table = table[
        table["beta"].between(1, 4)
        & table["alpha"].between(0.5, 2)
        & table["age"].between(0, 7)
    ]
    groups = table.groupby(["alpha", "beta", "age"])
    assert len(groups) == 12
    for (alpha, beta, age), rows in groups:
        found = rows["rate"] @ (1 + discount_rate) ** -rows["k"].astype(float)
        beyond = (
            survival(alpha, beta, age, 60)
            * (1 + discount_rate) ** -60
            * derl(alpha, beta, age + 60, discount_rate)
        )
        expected = derl(alpha, beta, age, discount_rate) - beyond
        expected /= 1 + discount_rate
        assert found == pytest.approx(expected, rel=1e-9)


def test_arguments_out_of_range_give_null_and_expressions_keep_together(tables):
    """3.806 + 4 of 0.668 + 3.806 + 4 is .9212; (1 + 2) of (1 + 1 + 2) is .75."""
    row = tables["outside"].iloc[0]
    assert row[:4].isna().all()
    assert row["of_numbers"] == pytest.approx(7.806 / 8.474, rel=1e-12)
    assert row["of_expressions"] == 0.75


# -- The tables -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop(tmp_path_factory, workbench):
    """The demo shop's contracts, with the data tests and unit tests of their models."""
    path = tmp_path_factory.mktemp("contract_shop") / "own.duckdb"
    warehouse = Warehouse(path, workbench)
    warehouse.build("--select", "+fct_contract_value")
    return warehouse


def frame(warehouse, sql: str) -> pd.DataFrame:
    """Rows of a query."""
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        connection.execute("set search_path = 'main,intermediate,staging,learned'")
        return connection.execute(sql).df()


def test_the_demo_shop_is_recovered(shop, truth):
    """Both parameters within 3 standard errors, all relationships counted."""
    row = frame(shop, "from ml_contract_process").iloc[0]
    given = truth["subscriptions"]
    realised = given["realised"]
    for name in ("alpha", "beta"):
        assert abs(row[name] - given[name]) < 3 * row[f"{name}_standard_error"]
    assert row["contract_count"] == realised["relationships"]
    ended = realised["relationships"] - realised["running_at_the_end"]
    assert row["ended_contract_count"] == ended
    assert not row["is_regularised"]
    counted = "select sum(contract_count) as n from int_contract_renewals"
    assert frame(shop, counted)["n"][0] == realised["relationships"]
    assert len(frame(shop, "from fct_contract_value")) == realised["running_at_the_end"]


def test_contract_values_are_those_of_the_closed_form(shop):
    """Monthly amount x DERL within 36 months, and bounds by the delta method.

    The standard deviation of the logarithm is worked out a second way: from its slope
    by the logarithms of the parameters, sqrt(g' C g). Draws see some curvature too.
    """
    fit = frame(shop, "from ml_contract_process").iloc[0]
    table = frame(
        shop,
        "select * replace (cast(monthly_amount as double) as"
        " monthly_amount) from fct_contract_value",
    )
    discount_rate = 1.1 ** (1 / 12) - 1
    age = table["renewal_count"].to_numpy(dtype=float)

    def multiple(alpha, beta):
        beyond = survival(alpha, beta, age, 36) * (1 + discount_rate) ** -36
        return (
            derl(alpha, beta, age, discount_rate)
            - beyond * derl(alpha, beta, age + 36, discount_rate)
        ) / (1 + discount_rate)

    expected = table["monthly_amount"] * multiple(fit["alpha"], fit["beta"])
    found = table.filter(like="contract_value").astype(float)
    np.testing.assert_allclose(found["contract_value_amount"], expected, atol=1e-4)
    np.testing.assert_allclose(
        table["next_renewal_rate"],
        survival(fit["alpha"], fit["beta"], age, 1),
        rtol=1e-9,
    )
    months = survival(fit["alpha"], fit["beta"], age[:, None], np.arange(1, 37))
    np.testing.assert_allclose(
        table["expected_further_months"], months.sum(axis=1), rtol=1e-9
    )

    step = 1e-5
    slopes = [
        (
            np.log(
                multiple(fit["alpha"] * np.exp(by_alpha), fit["beta"] * np.exp(by_beta))
            )
            - np.log(
                multiple(
                    fit["alpha"] * np.exp(-by_alpha), fit["beta"] * np.exp(-by_beta)
                )
            )
        )
        / (2 * step)
        for by_alpha, by_beta in ((step, 0), (0, step))
    ]
    deviation = np.sqrt(
        slopes[0] ** 2 * fit["alpha_log_variance"]
        + slopes[1] ** 2 * fit["beta_log_variance"]
        + 2 * slopes[0] * slopes[1] * fit["alpha_beta_log_covariance"]
    )
    for percent, z in ((80, 1.2815515655446004), (95, 1.959963984540054)):
        for side, sign in (("lower", -1), ("upper", 1)):
            bound = found[f"contract_value_{percent}_{side}_amount"] / expected
            np.testing.assert_allclose(np.log(bound), sign * z * deviation, rtol=0.05)


def test_expected_months_are_those_of_simulated_contracts(shop, truth):
    """By the fit to the estimate; by the truth within the 95 % bounds of the total.

    Who has survived n renewals leaves with a probability drawn from
    Beta(alpha, beta + n). 40,000 futures of each contract make the standard error of
    the total about 0.6.
    """
    fit = frame(shop, "from ml_contract_process").iloc[0]
    table = frame(shop, "from fct_contract_value order by customer_id")
    generator = np.random.default_rng(2010)
    age = table["renewal_count"].to_numpy()

    def months(alpha, beta):
        totals = np.zeros(40_000)
        for renewals in age:
            leaves = generator.beta(alpha, beta + renewals, len(totals))
            lengths = generator.geometric(np.clip(leaves, 1e-12, 1))
            totals += np.minimum(lengths - 1, 36)
        return totals

    futures = months(fit["alpha"], fit["beta"])
    error = futures.std() / np.sqrt(len(futures))
    expected = table["expected_further_months"].sum()
    assert abs(futures.mean() - expected) < 4 * error

    given = truth["subscriptions"]
    true_total = months(given["alpha"], given["beta"]).mean()
    values = table.filter(like="contract_value").astype(float)
    spread = np.log(
        values["contract_value_95_upper_amount"].sum()
        / values["contract_value_amount"].sum()
    )
    assert abs(np.log(true_total / expected)) < spread


def test_a_shop_without_subscriptions_has_empty_tables(warehouse, tmp_path):
    """No error, and a table with its columns."""
    orders = [("O1", "A", "2025-01-01", 10), ("O2", "B", "2025-02-01", 20)]
    warehouse.build(
        "--select", "+fct_contract_value", inputs=write_orders(tmp_path / "in", orders)
    )
    for name in ("int_contract_histories", "ml_contract_process", "fct_contract_value"):
        assert frame(warehouse, f"from {name}").empty


def test_too_few_contracts_are_listed_without_a_value(warehouse, tmp_path):
    """Three contracts that run: nothing to learn from, the value is unknown."""
    folder = write_orders(tmp_path / "in", [("O1", "A", "2025-06-30", 10)])
    (folder / "subscriptions.csv").write_text(
        "subscription_id,customer_id,started_at,ended_at,monthly_amount\n"
        "S1,A,2025-01-15,,10\nS2,B,2025-02-15,,10\nS3,C,2025-03-15,,10\n"
    )
    warehouse.build("--select", "+fct_contract_value", inputs=folder)
    table = frame(warehouse, "from fct_contract_value order by customer_id")
    assert table["renewal_count"].tolist() == [5, 4, 3]
    assert table["contract_value_amount"].isna().all()
    assert table["next_renewal_rate"].isna().all()
