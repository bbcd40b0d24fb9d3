"""Forecasts of the monthly series, by ARIMA and by simpler rules it has to beat."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

# dbt runs models side by side. Libraries that two threads import at once may lock each
# other out, and a limit on threads holds for the whole process: one learns at a time.
LEARNING = vars(threading).setdefault("one_learns_at_a_time", threading.RLock())

# The simplest first: of equals it wins.
METHODS = ("last_value", "linear_trend", "last_year", "arima")
HORIZON_MONTHS = 12
HOLDOUT_MONTHS = 3
# A year to learn from, and the quarter to judge by.
MINIMUM_MONTHS = 15
# Two years, so that a year of growth is known.
LAST_YEAR_MONTHS = 24
# The growth of the latest quarter is the one that goes on.
GROWTH_MONTHS = 3

LARGEST_ORDER = 4
LARGEST_DIFFERENCING = 2
# Each of the p + q terms needs so many months, or the fit is to chance.
MONTHS_PER_TERM = 8
# Bounds the time without a clock, which would change the result.
MAXIMUM_ITERATIONS = 50
# Terms whose roots are nearer to the unit circle cancel out, or fit a cycle of chance.
SMALLEST_ROOT = 1.01
SIGNIFICANCE = 0.05
# Logarithms beyond it are out of all proportion, and soon out of range.
LARGEST_LOGARITHM = 100.0

COLUMNS = {
    "series_name": "string",
    "forecast_method": "string",
    "calendar_month": "datetime64[us]",
    "forecast_value": "float64",
    "lower_80_value": "float64",
    "upper_80_value": "float64",
    "lower_95_value": "float64",
    "upper_95_value": "float64",
    "value_kind": "string",
    "value_scale": "string",
    "month_count": "int64",
    "autoregressive_count": "Int64",
    "difference_count": "Int64",
    "moving_average_count": "Int64",
    "aicc": "float64",
    "adf_p_value": "float64",
    "kpss_p_value": "float64",
    "mean_absolute_error": "float64",
    "root_mean_squared_error": "float64",
    "is_held_out": "bool",
    "is_best": "bool",
}


@dataclass(frozen=True)
class Scale:
    """Where a series is modelled, so that no forecast leaves what it can be.

    `logit`: rates, kept between 0 and 1. `log`: positive values, kept above 0.
    `natural`: values of which some are 0 or less, and the straight line through counts
    and amounts, which would be compound growth on the log scale; kept at 0 or more if
    the series never was below.
    """

    name: str
    lowest: float = -np.inf

    @staticmethod
    def of(months: pd.DataFrame, method: str) -> "Scale":
        """Choose the scale for a series by what it is and by its values."""
        if months["value_kind"].iloc[0] == "rate":
            return Scale("logit")
        lowest = months["series_value"].min()
        if lowest > 0 and method != "linear_trend":
            return Scale("log")
        return Scale("natural", 0.0 if lowest >= 0 else -np.inf)

    def of_values(self, months: pd.DataFrame) -> np.ndarray:
        """Put the months' values on the scale.

        The logit of a rate counts half a customer more on either side (Haldane 1956,
        Annals of Human Genetics 20), so that nobody and everybody have one as well.
        """
        values = months["series_value"].to_numpy(dtype=float)
        if self.name == "logit":
            part = months["part_count"].to_numpy(dtype=float)
            base = months["base_count"].to_numpy(dtype=float)
            return np.log((part + 0.5) / (base - part + 0.5))
        return np.log(values) if self.name == "log" else values

    def back(self, scaled: np.ndarray) -> np.ndarray:
        """Turn numbers on the scale into values: a median stays one."""
        if self.name == "natural":
            return np.maximum(scaled, self.lowest)
        bounded = np.clip(scaled, -LARGEST_LOGARITHM, LARGEST_LOGARITHM)
        if self.name == "logit":
            return 1 / (1 + np.exp(-bounded))
        return np.exp(bounded)


@dataclass(frozen=True)
class Forecast:
    """What a method expects, on the scale of the series, month by month.

    Parameters
    ----------
    median : array of float, shape (months,)
    standard_error : array of float, shape (months,)
        Of the month to come about the median.
    freedom : float
        Degrees of freedom of Student's t; infinite = normal.
    """

    median: np.ndarray
    standard_error: np.ndarray
    freedom: float = np.inf

    @property
    def is_finite(self) -> bool:
        """Whether it says something about each month."""
        return bool(np.isfinite([self.median, self.standard_error]).all())

    def bound(self, probability: float) -> np.ndarray:
        """Return what each month stays below with a probability."""
        from scipy.stats import t

        return self.median + t.ppf(probability, self.freedom) * self.standard_error


@dataclass(frozen=True)
class Arima:
    """An order and how it was found."""

    autoregressive: int
    differences: int
    moving_average: int
    aicc: float

    @property
    def order(self) -> tuple[int, int, int]:
        """p, d and q."""
        return self.autoregressive, self.differences, self.moving_average


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of statsmodels, on which nobody could act."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def varies(values: np.ndarray) -> bool:
    """Whether values differ by more than rounding."""
    return bool(np.ptp(values) > 1e-9 * max(np.abs(values).max(), 1e-9))


def unit_root_p_values(values: np.ndarray) -> tuple[float, float]:
    """Test whether a series wanders, from either side.

    The numbers of lags are those of the R packages tseries (Dickey-Fuller) and forecast
    (KPSS).

    Returns
    -------
    adf : float
        Augmented Dickey-Fuller, lags by AIC: small = it does not wander. NaN = the
        series leaves the test nothing to go by.
    kpss : float
        Kwiatkowski, Phillips, Schmidt & Shin: small = it does. Lies within the table
        of the paper, 0.01 to 0.1.
    """
    # imported here: costs seconds
    from statsmodels.tsa.stattools import adfuller, kpss

    # few lags, or too few months are left to judge by
    adf_lags = int((len(values) - 1) ** (1 / 3))
    kpss_lags = int(3 * len(values) ** 0.5 / 13)
    with quiet():
        try:
            adf = float(adfuller(values, maxlag=adf_lags)[1])
        except (ValueError, np.linalg.LinAlgError):
            adf = np.nan
        try:
            stationary = float(kpss(values, regression="c", nlags=kpss_lags)[1])
        except (ValueError, OverflowError, np.linalg.LinAlgError):
            stationary = np.nan
    return adf, stationary


def differences_needed(values: np.ndarray) -> int:
    """How often to take differences until KPSS finds no more wandering at 5 % (d).

    As Hyndman & Khandakar 2008 (Journal of Statistical Software 27(3)) choose it.
    Dickey-Fuller does not decide: a young shop that comes to its level from far away
    looks stationary to it.
    """
    for differences in range(LARGEST_DIFFERENCING):
        _, kpss = unit_root_p_values(values)
        if not kpss < SIGNIFICANCE or not varies(np.diff(values)):
            return differences
        values = np.diff(values)
    return LARGEST_DIFFERENCING


def fitted_arima(values: np.ndarray, order: tuple[int, int, int]):
    """Fit an ARIMA by maximum likelihood; None where that fails.

    With a constant where nothing is differenced, as statsmodels has it.
    """
    from statsmodels.tsa.arima.model import ARIMA

    with quiet():
        try:
            return ARIMA(values, order=order).fit(
                cov_type="none",
                method_kwargs={"maxiter": MAXIMUM_ITERATIONS, "disp": 0},
            )
        except (ValueError, IndexError, np.linalg.LinAlgError):
            return None


def best_arima(values: np.ndarray) -> Arima | None:
    """Choose the order: d by the tests, p and q by AICc among all that are allowed.

    Of orders that are equal the one with fewer terms is taken. AICc is Akaike's
    criterion with its correction for short series (Hurvich & Tsai 1989, Biometrika
    76(2)). Fits with a root next to the unit circle are left out, as by Hyndman &
    Khandakar 2008. None where no order can be fitted.
    """
    differences = differences_needed(values)
    most_terms = len(values) // MONTHS_PER_TERM
    orders = [
        (autoregressive, differences, moving_average)
        for autoregressive in range(LARGEST_ORDER + 1)
        for moving_average in range(LARGEST_ORDER + 1)
        if autoregressive + moving_average <= most_terms
    ]
    best = None
    for order in sorted(orders, key=lambda order: (order[0] + order[2], order)):
        result = fitted_arima(values, order)
        if result is None or not np.isfinite(result.aicc):
            continue
        roots = np.abs(np.concatenate([result.arroots, result.maroots]))
        if (roots < SMALLEST_ROOT).any():
            continue
        if best is None or result.aicc < best.aicc - 1e-6:
            best = Arima(*order, float(result.aicc))
    return best


def arima_forecast(values: np.ndarray, months: int, arima: Arima) -> Forecast | None:
    """Forecast by an ARIMA of a known order."""
    result = fitted_arima(values, arima.order)
    if result is None:
        return None
    with quiet():
        ahead = result.get_forecast(months)
        return Forecast(np.array(ahead.predicted_mean), np.array(ahead.se_mean))


def linear_trend(values: np.ndarray, months: int) -> Forecast:
    """Go on along the straight line through all months.

    Prediction interval of ordinary least squares: Greene, Econometric Analysis, 8th
    edition, section 4.6.
    """
    count = len(values)
    time = np.arange(count) - (count - 1) / 2
    spread = time @ time
    slope = time @ values / spread
    residual = values - values.mean() - slope * time
    variance = residual @ residual / (count - 2)
    ahead = np.arange(count, count + months) - (count - 1) / 2
    return Forecast(
        values.mean() + slope * ahead,
        np.sqrt(variance * (1 + 1 / count + ahead**2 / spread)),
        count - 2,
    )


def last_value(values: np.ndarray, months: int) -> Forecast:
    """Stay where the last month was: the forecast of a random walk.

    Hyndman & Athanasopoulos, Forecasting: principles and practice, 3rd edition,
    section 5.5.
    """
    steps = np.diff(values)
    return Forecast(
        np.full(months, values[-1]),
        np.sqrt(np.mean(steps**2) * np.arange(1, months + 1)),
        len(steps),
    )


def last_year(values: np.ndarray, months: int) -> Forecast | None:
    """Repeat the months of last year, with the growth of the latest quarter.

    Growth is what a month is above the same month of the year before. The standard
    error is the root mean square of what the rule would have missed so far, from each
    month on, up to a year ahead. For at most a year; None below two years.
    """
    if len(values) < LAST_YEAR_MONTHS:
        return None
    growth = values[12:] - values[:-12]
    latest = np.convolve(growth, np.full(GROWTH_MONTHS, 1 / GROWTH_MONTHS), "valid")
    missed = np.concatenate(
        [
            growth[known : known + 12] - latest[known - GROWTH_MONTHS]
            for known in range(GROWTH_MONTHS, len(growth))
        ]
    )
    return Forecast(
        values[-12:][:months] + latest[-1],
        np.full(months, np.sqrt(np.mean(missed**2))),
        len(growth) - GROWTH_MONTHS,
    )


def forecast(
    method: str, values: np.ndarray, months: int, arima: Arima | None
) -> Forecast | None:
    """Forecast by a method; None where it has nothing to say."""
    if method == "arima":
        made = arima_forecast(values, months, arima) if arima else None
    else:
        rules = {
            "last_value": last_value,
            "linear_trend": linear_trend,
            "last_year": last_year,
        }
        made = rules[method](values, months)
    return made if made is not None and made.is_finite else None


def forecast_series(months: pd.DataFrame) -> list[dict]:
    """Forecast one series by all methods.

    Parameters
    ----------
    months : DataFrame
        calendar_month, value_kind, series_value, part_count and base_count (of rates)
        of unbroken months in order.

    Returns
    -------
    list of dict
        A row per method and month: the held-out quarter, forecast from the months
        before it, and the year ahead, from all of them. None of a series that is too
        short or does not vary.
    """
    if len(months) < MINIMUM_MONTHS:
        return []
    scales = {method: Scale.of(months, method) for method in METHODS}
    learned = scales["arima"].of_values(months)[:-HOLDOUT_MONTHS]
    if not varies(learned):
        return []

    actual = months["series_value"].to_numpy(dtype=float)[-HOLDOUT_MONTHS:]
    arima = best_arima(learned)
    adf, kpss = unit_root_p_values(learned)
    made, errors = {}, {}
    for method, scale in scales.items():
        values = scale.of_values(months)
        held_out = forecast(method, values[:-HOLDOUT_MONTHS], HOLDOUT_MONTHS, arima)
        ahead = forecast(method, values, HORIZON_MONTHS, arima)
        if held_out is not None and ahead is not None:
            made[method] = (held_out, ahead)
            errors[method] = scale.back(held_out.median) - actual
    absolute_errors = {
        method: float(f"{np.abs(error).mean():.9g}") for method, error in errors.items()
    }
    best = min(absolute_errors, key=absolute_errors.get)

    last_month = pd.Timestamp(months["calendar_month"].iloc[-1])
    rows = []
    for method, forecasts in made.items():
        known = arima if method == "arima" else None
        scale = scales[method]
        for is_held_out, made_forecast in zip((True, False), forecasts, strict=True):
            first = 1 - HOLDOUT_MONTHS if is_held_out else 1
            bounds = {
                name: scale.back(made_forecast.bound(probability))
                for name, probability in {
                    "lower_80_value": 0.1,
                    "upper_80_value": 0.9,
                    "lower_95_value": 0.025,
                    "upper_95_value": 0.975,
                }.items()
            }
            medians = scale.back(made_forecast.median)
            for number, median in enumerate(medians):
                rows.append(
                    {
                        "forecast_method": method,
                        "calendar_month": last_month
                        + pd.DateOffset(months=first + number),
                        "forecast_value": median,
                        **{name: bound[number] for name, bound in bounds.items()},
                        "value_kind": months["value_kind"].iloc[0],
                        "value_scale": scale.name,
                        "month_count": len(months),
                        "autoregressive_count": known.autoregressive if known else None,
                        "difference_count": known.differences if known else None,
                        "moving_average_count": known.moving_average if known else None,
                        "aicc": known.aicc if known else None,
                        "adf_p_value": adf,
                        "kpss_p_value": kpss,
                        "mean_absolute_error": np.abs(errors[method]).mean(),
                        "root_mean_squared_error": np.sqrt(
                            np.mean(errors[method] ** 2)
                        ),
                        "is_held_out": is_held_out,
                        "is_best": method == best,
                    }
                )
    return rows


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        values = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 9)
            near = np.round(values / unit) * unit
        learned[column] = np.where(values == 0, 0.0, near)
    return learned


def learn(series: pd.DataFrame) -> pd.DataFrame:
    """Forecast every series.

    Parameters
    ----------
    series : DataFrame
        series_name and the columns of `forecast_series`, in any order of rows.

    Returns
    -------
    DataFrame
        A row per series, method and month.
    """
    rows = []
    by_name = [
        (name, months.sort_values("calendar_month"))
        for name, months in series.groupby("series_name", sort=True)
        if len(months) >= MINIMUM_MONTHS
    ]
    if by_name:
        # imported here: costs seconds; and first, or it would escape the limit
        import statsmodels.tsa.arima.model  # noqa: F401

        with threadpool_limits(limits=1):
            rows = [
                {"series_name": name, **row}
                for name, months in by_name
                for row in forecast_series(months)
            ]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Forecast the monthly series as of the live cutoff."""
    known = in_pandas(dbt.ref("int_retention_series"))
    with LEARNING:
        learned = learn(known)
    return learned
