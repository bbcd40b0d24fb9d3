"""The purchase and spend macros, as DuckDB evaluates them, against their derivations.

All calls are rendered by one dbt run in a project of their own that has nothing but the
macros; DuckDB then evaluates the SQL on tables of parameters and histories.
"""

import itertools

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import MacroProject, python_model
from purchase_theory import PROCESSES, cdnow, expected_purchases, p_alive
from scipy.special import expit

HISTORY = "'frequency', 'recency', 'age'"
SPEND = "'p', 'q', 'v', 'frequency', 'mean_spend'"
CALLS = {
    "bg_nbd": f"p_alive_bg_nbd('r', 'alpha', 'a', 'b', {HISTORY})",
    "mbg_nbd": f"p_alive_mbg_nbd('r', 'alpha', 'a', 'b', {HISTORY})",
    "pareto_nbd": f"p_alive_pareto_nbd('r', 'alpha', 'a', 'b', {HISTORY})",
    "newcomer": "pareto_nbd_expected_purchases('r', 'alpha', 'a', 'b', 'age')",
    "spend": f"gamma_gamma_expected_spend({SPEND})",
    "spend variance": f"gamma_gamma_log_variance({SPEND},"
    " 'pp', 'qq', 'vv', 'pq', 'pv', 'qv')",
}


class Macros:
    """The calls, rendered, and a way to evaluate one on the rows of a table."""

    def __init__(self, sql: dict[str, str]) -> None:
        self.sql = sql

    def on(self, call: str, rows: pd.DataFrame) -> np.ndarray:
        """Evaluate a call on every row; NULL becomes NaN, which must not occur else."""
        numbered = rows.reset_index(drop=True).reset_index(names="row_number")
        with duckdb.connect() as database:
            database.register("numbered", numbered)
            found = database.execute(
                f"select {self.sql[call]} as value from numbered order by row_number"
            ).fetchall()
        values = [value for (value,) in found]
        assert not any(value is not None and np.isnan(value) for value in values)
        return np.array(values, dtype=float)

    def one(self, call: str, **columns: float) -> float | None:
        """Evaluate a call on one row of doubles."""
        return self.on(call, pd.DataFrame([columns], dtype=float))[0]


@pytest.fixture(scope="module")
def macros(macro_project: MacroProject) -> Macros:
    sql = macro_project.rendered(CALLS.values())
    return Macros(dict(zip(CALLS, sql, strict=True)))


# -- P(alive) ---------------------------------------------------------------------

PARAMETERS = {
    "bg_nbd": [
        (0.24, 4.4, 0.79, 2.43),
        (0.05, 0.3, 0.02, 0.01),
        (9, 700, 40, 300),
        (0.3, 2, 1, 1e-4),
        (300, 3000, 0.04, 50),
    ],
    "mbg_nbd": [
        (0.52, 6.18, 0.89, 1.61),
        (0.05, 0.3, 0.02, 0.01),
        (9, 700, 40, 300),
        (0.3, 2, 1, 1e-4),
        (300, 3000, 0.04, 50),
    ],
    "pareto_nbd": [
        (0.55, 10.58, 0.61, 11.67),
        (0.05, 0.3, 0.02, 0.01),
        (0.56, 11.7, 0.6, 0.05),
        (0.3, 3, 5, 1000),
        (9, 700, 40, 3000),
        (300, 3000, 0.02, 340),
        # nearly everyone leaves at once: beta far below alpha
        (5, 1000, 5, 0.001),
        (0.6, 40, 900, 3),
    ],
}
HISTORIES = [
    # frequency, recency, age
    (0, 0, 0),
    (0, 0, 1 / 7),
    (0, 0, 39),
    (0, 0, 2000),
    (1, 0, 0),
    (1, 0, 39),
    (1, 1 / 7, 39),
    (2, 30.43, 38.86),
    (5, 39, 39),
    (26, 30.857, 31),
    (40, 3, 200),
    (400, 30, 300),
    (5000, 250, 250),
    (5000, 250, 251),
    (5000, 30, 400),
]


def table_of(parameters: list[tuple], histories: list[tuple]) -> pd.DataFrame:
    names = ["r", "alpha", "a", "b", "frequency", "recency", "age"]
    rows = [fit + history for fit, history in itertools.product(parameters, histories)]
    return pd.DataFrame(rows, columns=names).astype(float)


@pytest.mark.parametrize("process", PROCESSES)
def test_p_alive_is_its_derivation_to_nine_digits(macros, process):
    rows = table_of(PARAMETERS[process], HISTORIES)
    found = macros.on(process, rows)
    expected = [
        float(p_alive(process, row[:4], *row[4:]))
        for row in rows.itertuples(index=False)
    ]
    for row, value, right in zip(
        rows.itertuples(index=False), found, expected, strict=True
    ):
        # below 1e-300, where a double ends, it is next to 0 at least
        assert value == pytest.approx(right, rel=1e-9, abs=1e-300), tuple(row)
        assert 0 <= value <= 1


@pytest.mark.parametrize("process", PROCESSES)
def test_integer_columns_do_not_matter(macros, process):
    rows = table_of(PARAMETERS[process][:1], [(2, 14, 39), (0, 0, 39), (5, 39, 39)])
    whole = rows.astype({"frequency": int, "recency": int, "age": int})
    assert list(macros.on(process, whole)) == list(macros.on(process, rows))


@pytest.mark.parametrize(
    ("process", "parameters", "alive"),
    [
        ("bg_nbd", (0.2425945, 4.4136019, 0.7929199, 2.4258881), 0.9688523),
        ("pareto_nbd", (0.553, 10.578, 0.606, 11.669), 0.997874),
    ],
)
def test_p_alive_of_the_customer_of_26_purchases_is_the_published_one(
    macros, process, parameters, alive
):
    # from parameters as printed: 5 digits
    found = macros.on(process, table_of([parameters], [(26, 30.857, 31)]))
    assert found == pytest.approx([alive], abs=5e-6)


def test_without_repeat_purchase_bg_nbd_holds_for_sure_and_mbg_nbd_for_maybe(macros):
    parameters = [(0.5, 6.0, 0.9, 1.6)]
    newcomer, old = (0, 0, 0), (0, 0, 500)
    rows = table_of(parameters, [newcomer, old])
    assert list(macros.on("bg_nbd", rows)) == [1, 1]
    found = macros.on("mbg_nbd", rows)
    assert found[0] == pytest.approx(1.6 / 2.5)
    # odds of having left: 0.9 / 1.6 x (506 / 6)^0.5
    assert found[1] == pytest.approx(expit(-np.log(0.9 / 1.6) - 0.5 * np.log(506 / 6)))


@pytest.mark.parametrize("process", PROCESSES)
def test_longer_silence_lowers_p_alive(macros, process):
    silences = [(3, 20.0, 20.0 + weeks) for weeks in range(0, 400, 5)]
    found = macros.on(process, table_of(PARAMETERS[process][:1], silences))
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("process", PROCESSES)
def test_what_is_not_known_is_null(macros, process):
    rows = table_of(PARAMETERS[process][:1], [(3, 20, 40)] * 4)
    for number, column in enumerate(["r", "alpha", "recency", "age"]):
        rows.loc[number, column] = np.nan
    rows = rows.astype(object).where(rows.notna(), None)
    rows = rows.astype({name: "Float64" for name in rows})
    assert np.isnan(macros.on(process, rows)).all()


# -- A newcomer under Pareto/NBD --------------------------------------------------


def test_a_newcomers_purchases_are_the_integral_of_the_rate_of_those_who_stay(macros):
    parameters = [
        *itertools.product((0.05, 8), (0.3, 400), (0.05, 0.6, 4, 200), (0.05, 4000))
    ]
    ages = [1 / 7, 39, 520]
    rows = table_of(parameters, [(0, 0, age) for age in ages])
    found = macros.on("newcomer", rows)
    expected = [
        expected_purchases("pareto_nbd", row[:4], 0, 0, row[6])
        for row in rows.itertuples(index=False)
    ]
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("shape", [0.9999999, 1, 1.0000001, 1.000001])
def test_next_to_one_a_newcomers_purchases_are_the_logarithm(macros, shape):
    # the limit: r beta / alpha x ln((beta + t) / beta)
    found = macros.one("newcomer", r=0.55, alpha=10, a=shape, b=11, age=52)
    assert found == pytest.approx(0.55 * 11 / 10 * np.log(63 / 11), rel=2e-6)


def test_at_age_zero_nothing_has_been_bought(macros):
    for shape in (0.5, 1, 3):
        assert macros.one("newcomer", r=0.55, alpha=10, a=shape, b=11, age=0) == 0


def test_a_newcomers_purchases_are_the_published_ones(macros):
    found = macros.one("newcomer", r=0.553, alpha=10.578, a=0.606, b=11.669, age=52)
    assert found == pytest.approx(1.473434, rel=1e-3)  # parameters as printed


# -- Spend ------------------------------------------------------------------------

SPEND_PARAMETERS = {"p": 6.24957, "q": 3.74422, "v": 15.44351}


def test_the_first_ten_customers_of_cdnow_spend_as_published(macros):
    customers = cdnow("sample")[:10]
    rows = customers[["frequency", "mean_spend"]].assign(**SPEND_PARAMETERS)
    # money without a mean, or with a mean of 0, is everyone's
    rows.loc[~(rows["mean_spend"] > 0), "frequency"] = 0
    rows["mean_spend"] = rows["mean_spend"].astype("Float64")
    assert [round(value, 2) for value in macros.on("spend", rows)] == [
        24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17,
    ]  # fmt: skip


def test_expected_spend_lies_between_everyones_mean_and_the_own(macros):
    everyone = 6.24957 * 15.44351 / 2.74422
    for own in (0.01, 20, 35.17, 5000):
        found = [
            macros.one("spend", **SPEND_PARAMETERS, frequency=x, mean_spend=own)
            for x in (0, 1, 2, 10, 5000)
        ]
        assert found[0] == pytest.approx(everyone)
        # weights p x and q - 1 of the own mean and everyone's
        weights = np.array([6.24957 * x for x in (0, 1, 2, 10, 5000)])
        assert found == pytest.approx(
            (weights * own + 2.74422 * everyone) / (weights + 2.74422), rel=1e-12
        )


def test_the_variance_of_the_expected_spend_is_that_of_the_delta_method(macros):
    root = np.random.default_rng(3).normal(size=(3, 3)) / 10
    covariance = root @ root.T
    names = {
        "pp": (0, 0), "qq": (1, 1), "vv": (2, 2),
        "pq": (0, 1), "pv": (0, 2), "qv": (1, 2),
    }  # fmt: skip
    uncertain = {name: covariance[place] for name, place in names.items()}
    for frequency, mean_spend in [(0, 0.0), (1, 12.0), (7, 80.0), (5000, 3.0)]:

        def log_spend(logarithms, frequency=frequency, mean_spend=mean_spend):
            p, q, v = np.exp(logarithms)
            own = frequency * mean_spend
            return np.log(p * (v + own) / (p * frequency + q - 1))

        centre = np.log(list(SPEND_PARAMETERS.values()))
        slopes = np.array(
            [
                (log_spend(centre + shift) - log_spend(centre - shift)) / 2e-5
                for shift in 1e-5 * np.eye(3)
            ]
        )
        found = macros.one(
            "spend variance",
            **SPEND_PARAMETERS,
            **uncertain,
            frequency=frequency,
            mean_spend=mean_spend,
        )
        assert found == pytest.approx(slopes @ covariance @ slopes, rel=1e-7)


def test_the_variance_agrees_with_draws(macros):
    # CDNOW's own covariance, 200,000 draws: two digits of a standard deviation
    spend_process = python_model("ml_spend_process")
    known = cdnow("sample")[lambda rows: rows["mean_spend"] > 0]
    fitted = spend_process.fit(known["frequency"], known["mean_spend"])
    draws = np.random.default_rng(8).multivariate_normal(
        np.log(fitted.parameters), fitted.covariance / 25, 200_000
    )
    p, q, v = np.exp(draws).T
    covariance = fitted.covariance / 25
    for frequency, mean_spend in [(0, 0.0), (2, 22.35), (20, 70.0)]:
        spread = np.log(
            p * (v + frequency * mean_spend) / (p * frequency + q - 1)
        ).std()
        found = macros.one(
            "spend variance",
            **dict(zip("pqv", fitted.parameters, strict=True)),
            **dict(zip(["pp", "qq", "vv"], np.diag(covariance), strict=True)),
            pq=covariance[0, 1],
            pv=covariance[0, 2],
            qv=covariance[1, 2],
            frequency=frequency,
            mean_spend=mean_spend,
        )
        assert np.sqrt(found) == pytest.approx(spread, rel=0.02)


def test_rounding_never_makes_a_variance_negative(macros):
    # log p, log q and log v move together so that nothing is uncertain but rounding
    found = macros.one(
        "spend variance",
        **SPEND_PARAMETERS,
        pp=0.01, qq=0.01, vv=0.01, pq=0.01, pv=-0.01, qv=-0.01,
        frequency=0,
        mean_spend=0,
    )  # fmt: skip
    assert found >= 0


def test_extreme_spends_are_finite_or_null(macros):
    rows = pd.DataFrame(
        [
            {"p": p, "q": q, "v": v, "frequency": x, "mean_spend": mean}
            for p, q, v, x, mean in itertools.product(
                (1e-3, 6.0, 1e5), (1 + 1e-9, 3.7, 1e5), (1e-6, 15.0, 1e8),
                (0.0, 1.0, 5000.0), (0.01, 1e9),
            )
        ]
    )  # fmt: skip
    found = macros.on("spend", rows)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    uncertain = rows.assign(pp=9.0, qq=9.0, vv=9.0, pq=8.0, pv=-8.0, qv=-8.0)
    assert np.isfinite(macros.on("spend variance", uncertain)).all()
