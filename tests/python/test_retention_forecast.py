"""Forecasts of the monthly series against statsmodels, scipy and hand calculation."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import python_model
from scipy import stats
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.stattools import adfuller, kpss
from threadpoolctl import threadpool_limits

forecasting = python_model("ml_retention_forecast")

INTERVAL = [
    "lower_95_value",
    "lower_80_value",
    "forecast_value",
    "upper_80_value",
    "upper_95_value",
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep the libraries from waiting for each other's threads on tiny arrays."""
    with threadpool_limits(limits=1):
        yield


def series(values, kind="amount", base=None, name="series") -> pd.DataFrame:
    """Months from January 2020 on."""
    values = np.asarray(values, dtype=float)
    missing = np.full(len(values), np.nan)
    return pd.DataFrame(
        {
            "series_name": name,
            "calendar_month": pd.date_range(
                "2020-01-01", periods=len(values), freq="MS"
            ),
            "value_kind": kind,
            "series_value": values,
            "part_count": missing if base is None else np.round(values * base),
            "base_count": missing if base is None else np.asarray(base, dtype=float),
        }
    )


def autoregressive(count: int, coefficient: float, seed: int = 7) -> np.ndarray:
    """Simulate an AR(1) about 0 from its own past."""
    noise = np.random.default_rng(seed).normal(size=count + 100)
    values = np.zeros(count + 100)
    for month in range(1, count + 100):
        values[month] = coefficient * values[month - 1] + noise[month]
    return values[100:]


def ahead_of(table: pd.DataFrame, method: str, held_out: bool = False) -> pd.DataFrame:
    """One method's rows of one part, in order."""
    return table[
        (table["forecast_method"] == method) & (table["is_held_out"] == held_out)
    ].sort_values("calendar_month")


def test_the_order_is_the_one_of_least_aicc_among_all_that_are_allowed():
    values = autoregressive(40, 0.7, seed=9)
    criteria = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for p in range(5):
            for q in range(5):
                if p + q <= 40 // 8:
                    fitted = ARIMA(values, order=(p, 0, q)).fit(cov_type="none")
                    roots = np.abs([*fitted.arroots, *fitted.maroots, 2])
                    if roots.min() >= 1.01:
                        criteria[p, 0, q] = fitted.aicc
    best = forecasting.best_arima(values)
    assert best.order == min(criteria, key=criteria.get)
    assert best.aicc == pytest.approx(min(criteria.values()), abs=1e-3)
    assert len(criteria) > 10


def test_an_autoregression_is_found():
    assert forecasting.best_arima(autoregressive(60, 0.7, seed=9)).order == (1, 0, 0)


def test_an_order_whose_terms_cancel_out_is_not_taken():
    # least AICc of all has p = 2 and q = 3, with a root at 1.002
    values = autoregressive(48, 0.7)
    fitted = forecasting.fitted_arima(values, (2, 0, 3))
    best = forecasting.best_arima(values)
    assert np.abs(fitted.maroots).min() < 1.01
    assert fitted.aicc < best.aicc and best.order != (2, 0, 3)


def test_few_months_allow_few_terms():
    for count in (12, 15, 23):
        best = forecasting.best_arima(autoregressive(count, 0.9, seed=count))
        assert best.autoregressive + best.moving_average <= count // 8


def test_d_is_how_often_kpss_asks_for_differences():
    noise = np.random.default_rng(3).normal(size=60)
    for expected, values in enumerate([noise, noise.cumsum(), noise.cumsum().cumsum()]):
        assert forecasting.differences_needed(values) == expected
        for differences in range(3):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rejects = kpss(np.diff(values, differences), nlags=1)[1] < 0.05
            assert rejects == (differences < expected)


def test_the_tests_of_stationarity_are_those_of_statsmodels():
    values = autoregressive(40, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # cube root of 39, and 3 sqrt(40) / 13
        expected = adfuller(values, maxlag=3)[1], kpss(values, nlags=1)[1]
    assert forecasting.unit_root_p_values(values) == pytest.approx(expected, rel=1e-9)


def test_a_series_that_becomes_constant_is_differenced_no_further():
    assert forecasting.differences_needed(np.arange(20.0)) == 0
    assert forecasting.differences_needed(np.ones(20)) == 0


def test_arima_forecasts_as_statsmodels_does_on_logarithms():
    values = np.exp(5 + 0.2 * autoregressive(40, 0.6))
    learned = forecasting.learn(series(values))
    made = ahead_of(learned, "arima")
    order = tuple(
        int(made[column].iloc[0])
        for column in (
            "autoregressive_count",
            "difference_count",
            "moving_average_count",
        )
    )
    frame = (
        ARIMA(np.log(values), order=order)
        .fit()
        .get_forecast(12)
        .summary_frame(alpha=0.2)
    )
    assert made["forecast_value"].to_numpy() == pytest.approx(
        np.exp(frame["mean"].to_numpy()), rel=1e-4
    )
    assert made["upper_80_value"].to_numpy() == pytest.approx(
        np.exp(frame["mean_ci_upper"].to_numpy()), rel=1e-3
    )
    assert made["lower_80_value"].to_numpy() == pytest.approx(
        np.exp(frame["mean_ci_lower"].to_numpy()), rel=1e-3
    )
    assert (made["value_scale"] == "log").all()


def test_the_order_is_chosen_without_the_held_out_months():
    values = 100 + autoregressive(40, 0.6)
    wild = np.concatenate([values[:-3], [1, 900, 5]])
    columns = ["autoregressive_count", "difference_count", "moving_average_count"]
    columns += ["aicc", "adf_p_value", "kpss_p_value", "forecast_value"]
    pd.testing.assert_frame_equal(
        ahead_of(forecasting.learn(series(values)), "arima", held_out=True)[columns],
        ahead_of(forecasting.learn(series(wild)), "arima", held_out=True)[columns],
    )


def test_the_trend_has_the_interval_of_ordinary_least_squares():
    values = 50 + 2 * np.arange(20) + np.random.default_rng(1).normal(size=20)
    made = forecasting.linear_trend(values, 12)
    time = sm.add_constant(np.arange(20.0))
    ahead = np.column_stack([np.ones(12), np.arange(20.0, 32)])
    for alpha in (0.2, 0.05):
        frame = sm.OLS(values, time).fit().get_prediction(ahead).summary_frame(alpha)
        assert made.median == pytest.approx(frame["mean"].to_numpy())
        assert made.bound(alpha / 2) == pytest.approx(frame["obs_ci_lower"].to_numpy())
        assert made.bound(1 - alpha / 2) == pytest.approx(
            frame["obs_ci_upper"].to_numpy()
        )


def test_the_trend_of_amounts_is_straight_and_cut_off_at_nothing():
    learned = forecasting.learn(series(np.arange(20, 0, -1)))
    made = ahead_of(learned, "linear_trend")
    assert (made["forecast_value"] == 0).all() and (made["lower_95_value"] == 0).all()
    rising = ahead_of(forecasting.learn(series(np.arange(1, 21))), "linear_trend")
    assert rising["forecast_value"].to_numpy() == pytest.approx(np.arange(21, 33))


def test_the_last_value_stays_with_the_variance_of_a_random_walk():
    # steps 2, -1, 2: mean square 3; after 4 months 4 times that, 3 degrees of freedom
    made = forecasting.last_value(np.array([1.0, 3, 2, 4]), 4)
    assert made.median.tolist() == [4, 4, 4, 4]
    assert made.standard_error == pytest.approx(np.sqrt([3, 6, 9, 12]))
    assert made.bound(0.9)[3] == pytest.approx(4 + stats.t(3).ppf(0.9) * np.sqrt(12))


def test_last_year_is_repeated_with_the_growth_of_the_latest_quarter():
    # the second year is 10 above the first, its last quarter 20
    first = np.tile([1.0, 2, 3, 4], 3)
    second = first + np.repeat([10, 20], [9, 3])
    made = forecasting.last_year(np.concatenate([first, second]), 12)
    assert made.median == pytest.approx(second + 20)
    # of the 9 + 8 + ... + 1 forecasts from the third month on, those of the last
    # quarter from months 3 to 9 missed by 10, from month 10 by 20 - 40 / 3, from month
    # 11 by 20 - 50 / 3
    growth = np.repeat([10.0, 20], [9, 3])
    missed = [
        growth[month] - growth[known - 3 : known].mean()
        for known in range(3, 12)
        for month in range(known, 12)
    ]
    assert missed.count(10.0) == 7 * 3 and len(missed) == 45
    assert made.standard_error == pytest.approx(np.full(12, np.std(missed, mean=0.0)))
    assert forecasting.last_year(np.arange(23.0), 12) is None


def test_half_a_customer_more_on_either_side_keeps_0_and_1_finite():
    months = series([0, 0.25, 1], kind="rate", base=[10, 20, 30])
    scale = forecasting.Scale.of(months, "arima")
    # 0.5 / 10.5, 5.5 / 15.5, 30.5 / 0.5
    assert np.exp(scale.of_values(months)) == pytest.approx(
        [0.5 / 10.5, 5.5 / 15.5, 61]
    )
    assert scale.back(np.array([np.log(3), 0, -1e9, 1e9])) == pytest.approx(
        [0.75, 0.5, 0, 1]
    )


@pytest.mark.parametrize(
    ("values", "scale", "lowest"),
    [([3, 1, 2], "log", 0), ([3, 0, 2], "natural", 0), ([3, -1, 2], "natural", -5)],
)
def test_values_stay_where_they_can_be(values, scale, lowest):
    chosen = forecasting.Scale.of(series(values), "arima")
    assert chosen.name == scale
    assert chosen.back(np.array([-5.0]))[0] >= min(lowest, np.exp(-5))
    assert forecasting.Scale.of(series(values), "linear_trend").name == "natural"


def test_forecasts_of_rates_and_counts_stay_possible():
    random = np.random.default_rng(5)
    base = random.integers(10, 40, 30)
    for kind, values in {
        "rate": random.binomial(base, 0.97) / base,
        "count": random.poisson(1, 30),
    }.items():
        learned = forecasting.learn(
            series(values, kind, base if kind == "rate" else None)
        )
        bounds = learned[INTERVAL].to_numpy()
        assert np.isfinite(bounds).all() and (bounds >= 0).all()
        assert kind != "rate" or (bounds <= 1).all()
        assert (np.diff(bounds, axis=1) >= 0).all()


def test_the_errors_are_of_the_last_quarter_and_the_least_one_wins():
    values = np.round(200 + autoregressive(30, 0.8) * 20)
    learned = forecasting.learn(series(values))
    errors = {}
    for method in learned["forecast_method"].unique():
        made = ahead_of(learned, method, held_out=True)
        assert list(made["calendar_month"].dt.strftime("%Y-%m")) == [
            "2022-04",
            "2022-05",
            "2022-06",
        ]
        missed = made["forecast_value"].to_numpy() - values[-3:]
        errors[method] = np.abs(missed).mean()
        assert made["mean_absolute_error"].to_numpy() == pytest.approx(errors[method])
        assert made["root_mean_squared_error"].to_numpy() == pytest.approx(
            np.sqrt(np.mean(missed**2))
        )
    best = learned.loc[learned["is_best"], "forecast_method"].unique()
    assert list(best) == [min(errors, key=errors.get)]
    ahead = ahead_of(learned, best[0])["calendar_month"]
    assert ahead.iloc[0] == pd.Timestamp("2022-07-01") and len(ahead) == 12
    assert ahead.iloc[-1] == pd.Timestamp("2023-06-01")


def test_of_equal_methods_the_simplest_wins():
    # a random walk without terms is the last value
    values = np.exp(np.random.default_rng(11).normal(size=20).cumsum())
    learned = forecasting.learn(series(values))
    errors = learned.groupby("forecast_method")["mean_absolute_error"].first()
    arima = learned[learned["forecast_method"] == "arima"]
    assert (arima["difference_count"] == 1).all()
    assert (arima["autoregressive_count"] + arima["moving_average_count"] == 0).all()
    assert errors["arima"] == pytest.approx(errors["last_value"], rel=1e-8)
    assert not arima["is_best"].any()


def test_short_and_constant_series_teach_nothing():
    for months in (
        series(np.arange(14)),
        series(np.full(30, 5)),
        series(np.full(30, 0.5), "rate", np.full(30, 10)),
        series([]),
    ):
        learned = forecasting.learn(months)
        assert len(learned) == 0
        assert learned.dtypes.astype(str).to_dict() == forecasting.COLUMNS
    assert len(forecasting.learn(series(np.arange(15)))) == 3 * 15


@pytest.mark.parametrize(
    "values",
    [
        np.exp(0.5 * np.arange(30)),
        np.concatenate([np.zeros(20), [1e9], np.zeros(9)]),
        10 + 5 * (-1.0) ** np.arange(30),
        1e-12 * np.arange(1, 31),
        np.concatenate([np.full(26, 7), [7.5, 9, 9, 9]]),
        np.random.default_rng(2).normal(0, 1e12, 30),
    ],
)
def test_strange_series_neither_fail_nor_warn_nor_leave_gaps(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned = forecasting.learn(series(values))
    assert np.isfinite(learned[INTERVAL].to_numpy()).all()
    rules = learned[learned["forecast_method"] != "arima"]
    known = learned.drop(
        columns=[
            "autoregressive_count",
            "difference_count",
            "moving_average_count",
            "aicc",
            "adf_p_value",
            "kpss_p_value",
        ]
    )
    assert not known.isna().any(axis=None)
    assert rules["forecast_method"].nunique() == 3


def test_the_order_of_rows_plays_no_part():
    months = pd.concat(
        [
            series(np.exp(autoregressive(30, 0.5)), name="a"),
            series(np.round(50 + 9 * autoregressive(20, 0.5)), "count", name="b"),
        ]
    )
    learned = forecasting.learn(months)
    assert learned["series_name"].nunique() == 2
    for seed in range(3):
        pd.testing.assert_frame_equal(
            learned,
            forecasting.learn(months.sample(frac=1, random_state=seed)),
            check_exact=True,
        )
