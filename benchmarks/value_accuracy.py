"""Judge ways to predict the total of purchases, over many origins and data sets.

One hold-out window says little: a total is off by chance, by season, or by a process
that does not fit, and one window can't tell which. This walks the origin back through
time, at each one fits the processes to what was known by then, predicts a window of a
quarter of the time observed, and compares with what came.

    python benchmarks/value_accuracy.py [warehouse.duckdb ...]

CDNOW comes with the development dependencies; each warehouse that the project has built
is one more data set.
"""

import importlib.util
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy.special import expit

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "python_models"))

from ml_expected_purchases import expected_purchases  # noqa: E402
from ml_purchase_process import (  # noqa: E402
    PARAMETERS,
    Histories,
    _death_integral,
    fit,
)

WINDOW_SHARE = 0.25
ORIGIN_STEP_DAYS = 28
ORIGINS = 7
REPEATERS_NEEDED = 40


def cdnow(name: str) -> pd.DataFrame:
    """Read the days with purchases of a CDNOW file."""
    package = Path(importlib.util.find_spec("lifetimes").origin).parent
    columns = ["customer", "date", "discs", "amount"]
    if name == "sample":
        columns.insert(1, "sample_customer")
    days = pd.read_csv(
        package / "datasets" / f"CDNOW_{name}.txt",
        sep=r"\s+",
        names=columns,
        skiprows=int(name == "master"),
    )
    days["date"] = pd.to_datetime(days["date"].astype(str))
    days = days.groupby(["customer", "date"], as_index=False)["amount"].sum()
    return days[days["amount"] > 0]


def warehouse(path: str) -> pd.DataFrame:
    """Read the days with purchases from a warehouse."""
    with duckdb.connect(path, read_only=True) as connection:
        days = connection.execute(
            "select customer_id as customer, activity_date as date"
            " from intermediate.int_customer_days where is_purchase"
        ).df()
    return days.assign(date=pd.to_datetime(days["date"]))


def p_alive(process, parameters, frequency, recency, age) -> np.ndarray:
    """Work out P(alive), which in the project is SQL."""
    if process == "pareto_nbd":
        r, alpha, s, beta = parameters
        log_dead, _ = _death_integral(parameters, r + frequency, recency, age)
        log_alive = -(r + frequency) * np.log(alpha + age) - s * np.log(beta + age)
        return expit(log_alive - log_dead)
    r, alpha, a, b = parameters
    occasions = frequency + (process == "mbg_nbd")
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.where(occasions > 0, np.log(a / (b + occasions - 1)), -np.inf)
    return expit(
        -odds - (r + frequency) * (np.log(alpha + age) - np.log(alpha + recency))
    )


class Origin:
    """What was known on a day, what the processes expect of it, and what came."""

    def __init__(self, days: pd.DataFrame, day: pd.Timestamp, window_days: int) -> None:
        self.day, self.window_days = day, window_days
        known = days[days["date"] <= day]
        self.customers = known.groupby("customer")["date"].agg(["min", "max", "count"])
        first, last = self.customers["min"], self.customers["max"]
        self.frequency = (self.customers["count"] - 1).to_numpy(dtype=float)
        self.recency = (last - first).dt.days.to_numpy() / 7
        self.age = (day - first).dt.days.to_numpy() / 7
        self.repeats = known["date"][known["date"] > known["customer"].map(first)]
        came = days[
            (days["date"] > day)
            & (days["date"] <= day + pd.Timedelta(days=window_days))
        ]
        self.actual = (
            came.groupby("customer").size().reindex(self.customers.index, fill_value=0)
        ).to_numpy()

    @property
    def is_enough(self) -> bool:
        """Whether enough customers had bought again to learn from."""
        return (self.frequency > 0).sum() >= REPEATERS_NEEDED

    def learn(self) -> None:
        """Fit the processes and predict the window."""
        counted = (
            pd.DataFrame({"x": self.frequency, "t": self.recency, "T": self.age})
            .value_counts(sort=False)
            .reset_index()
        )
        histories = Histories(*(counted[name] for name in ("x", "t", "T", "count")))
        self.parameters, self.predicted = {}, {}
        for process in PARAMETERS:
            parameters = fit(process, histories).parameters
            self.parameters[process] = parameters
            self.predicted[process] = p_alive(
                process, parameters, self.frequency, self.recency, self.age
            ) * expected_purchases(
                process,
                tuple(parameters),
                self.frequency,
                self.age,
                self.window_days / 7,
            )
        self.predicted["average"] = np.mean(list(self.predicted.values()), axis=0)

    def season(self, first_day: pd.Timestamp) -> float:
        """Work out the seasonal factor of the window, as int_seasonality does."""
        r, alpha, s, beta = self.parameters["pareto_nbd"]
        cohorts = self.customers["min"].value_counts()

        def counts(start, end):
            """Repeat purchases of a time, and those expected in it."""
            bought = self.repeats[(self.repeats > start) & (self.repeats <= end)]
            weeks = [
                np.maximum((day - cohorts.index).days.to_numpy(), 0) / 7
                for day in (start, end)
            ]
            before, after = (
                r * beta / (alpha * (s - 1)) * (1 - (beta / (beta + t)) ** (s - 1))
                for t in weeks
            )
            return len(bought), cohorts.to_numpy() @ (after - before)

        bought, seasonless = [], []
        for years in range(1, 31):
            start = self.day - pd.DateOffset(years=years)
            if start < first_day + pd.Timedelta(days=28):
                break
            window, expected = counts(
                start, start + pd.Timedelta(days=self.window_days)
            )
            year, expected_of_year = counts(start, start + pd.DateOffset(years=1))
            bought.append(window)
            seasonless.append(year * expected / expected_of_year)
        if not bought:
            return 1.0
        weight = len(bought) / (len(bought) + 1 + 25 / max(np.mean(bought), 1))
        return float(((sum(bought) + 1) / (sum(seasonless) + 1)) ** weight)


def judge(days: pd.DataFrame) -> pd.DataFrame:
    """Judge every method at every origin of a data set."""
    first_day, last_day = days["date"].min(), days["date"].max()
    rows = []
    for number in range(ORIGINS):
        live = last_day - pd.Timedelta(days=number * ORIGIN_STEP_DAYS)
        window_days = min(365, int(WINDOW_SHARE * (live - first_day).days))
        train = Origin(days, live - pd.Timedelta(days=window_days), window_days)
        test = Origin(days, live - pd.Timedelta(days=2 * window_days), window_days)
        if not train.is_enough:
            continue
        train.learn()
        totals = {name: value.sum() for name, value in train.predicted.items()}
        errors = {
            name: np.sqrt(np.mean((value - train.actual) ** 2))
            for name, value in train.predicted.items()
        }
        champion, factor = "average", 1.0
        if test.is_enough:
            test.learn()
            missed = {
                name: (value - test.actual) ** 2
                for name, value in test.predicted.items()
            }
            best = min(missed, key=lambda name: missed[name].mean())
            lead = missed["average"] - missed[best]
            if (
                np.sqrt(missed[best].mean()) <= 0.99 * np.sqrt(missed["average"].mean())
                and lead.sum() >= 2 * np.sqrt(len(lead)) * lead.std()
            ):
                champion = best
            factor = test.actual.sum() / test.predicted["average"].sum()
        season = train.season(first_day)
        methods = {name: (totals[name], errors[name]) for name in totals} | {
            "champion": (totals[champion], errors[champion]),
            "champion x season": (
                totals[champion] * season,
                np.sqrt(
                    np.mean((train.predicted[champion] * season - train.actual) ** 2)
                ),
            ),
            "average x season": (
                totals["average"] * season,
                np.sqrt(
                    np.mean((train.predicted["average"] * season - train.actual) ** 2)
                ),
            ),
            "average x factor of the window before": (
                totals["average"] * factor,
                np.sqrt(
                    np.mean((train.predicted["average"] * factor - train.actual) ** 2)
                ),
            ),
        }
        rows += [
            {
                "method": name,
                "is_last": number == 0,
                "bias": total / train.actual.sum() - 1,
                "rmse": error,
            }
            for name, (total, error) in methods.items()
        ]
    return pd.DataFrame(rows)


def main() -> None:
    """Print the mean absolute bias and RMSE of each method by data set."""
    data_sets = {
        "CDNOW sample": cdnow("sample"),
        "CDNOW master": cdnow("master"),
    } | {Path(path).stem: warehouse(path) for path in sys.argv[1:]}
    judged = pd.concat(
        [judge(days).assign(data_set=name) for name, days in data_sets.items()]
    )
    for title, rows in (
        (f"Mean of |bias| over {ORIGINS} origins", judged),
        ("Bias at the last origin", judged[judged["is_last"]]),
    ):
        measure = rows["bias"] if rows is not judged else rows["bias"].abs()
        table = rows.assign(measure=measure).pivot_table(
            index="method", columns="data_set", values="measure", sort=False
        )
        table["mean"] = table.abs().mean(axis=1)
        print(f"\n{title}\n\n{table.round(3).to_string()}")
    errors = judged.pivot_table(
        index="method", columns="data_set", values="rmse", sort=False
    )
    print(f"\nMean RMSE over {ORIGINS} origins\n\n{errors.round(3).to_string()}")


if __name__ == "__main__":
    main()
