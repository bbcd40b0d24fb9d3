"""What an analyst writes today: pandas, lifetimes and scikit-learn, in memory.

    .venv/bin/pip install pyarrow
    .venv/bin/python benchmarks/rival_pandas.py /tmp/shop --output /tmp/rival

The same questions as ours, of the same shop (benchmarks/make_shop.py), by the same
rules for what a purchase is, answered in files of the same name and grain:

- `fct_customer_value`: BG/NBD and Gamma-Gamma by lifetimes, and each customer's margin
  of the next 12 and 36 months, discounted;
- `fct_customer_segments`: RFM scores and segments, k-means with k by silhouette;
- `fct_customer_churn`: logistic regression, learned before the last window, judged on
  it, learned anew with it;
- `fct_cohort_retention` and `fct_channel_months`: monthly cohorts, CAC by channel.

Ours has more in each (quarantined rows, other processes, intervals, backtests, reasons,
survival, contracts) and some fifty tables beside. Here is what is usual, done with
care: columns are numbers from the file on, nothing loops over customers, and it learns
from as large a sample as ours. All is held in memory, which is where it ends. The
figures, a JSON line, are of this whole process, from its imports on. Its customers,
purchases, active months (the rows of fct_customer_months with a purchase) and spend are
ours to the last one; its values and its AUC are its own.
"""

import time

START = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import pyarrow.dataset as ds  # noqa: E402
from lifetimes import BetaGeoFitter, GammaGammaFitter  # noqa: E402
from rival_spine import peak_mib  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearn.linear_model import LogisticRegressionCV  # noqa: E402
from sklearn.metrics import roc_auc_score, silhouette_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "seeds" / "reference"
SAMPLE = 200_000
YEARLY_DISCOUNT = 0.10
WEEKS_A_MONTH = 365.25 / 12 / 7
TRAITS = ["frequency", "days_since", "age_days", "recent", "mean_amount", "margin_rate"]


def read_orders(shop: Path) -> tuple[pd.DataFrame, pd.Index]:
    """Read the completed orders of known customers, each once, in EUR.

    Returns
    -------
    orders : DataFrame
        customer (a number), day (days since 1970), revenue, margin.
    customers : Index
        The ids behind the numbers.
    """
    place = shop / "orders"
    money = {
        name: ds.field(name).cast("float64")
        for name in ("amount", "refund_amount", "cost_amount")
    }
    read = ds.dataset(place if place.is_dir() else f"{place}.parquet").to_table(
        columns=money
        | {name: ds.field(name) for name in ("order_id", "customer_id", "currency")}
        | {"day": ds.field("ordered_at").cast("date32").cast("int32")},
        filter=(ds.field("status") == "completed") & ds.field("customer_id").is_valid(),
    )
    numbers = {
        name: read[name].combine_chunks().dictionary_encode()
        for name in ("order_id", "customer_id", "currency")
    }
    orders = pd.DataFrame(
        {name: read[name].to_numpy() for name in (*money, "day")}
        | {
            "customer": numbers["customer_id"].indices.to_numpy(),
            "currency": pd.Categorical.from_codes(
                numbers["currency"].indices.to_numpy(),
                numbers["currency"].dictionary.to_pylist(),
            ),
        }
    )
    is_first = ~pd.Series(numbers["order_id"].indices.to_numpy()).duplicated()
    customers = pd.Index(numbers["customer_id"].dictionary.to_pandas())
    orders = orders[is_first.to_numpy()].reset_index(drop=True)

    rates = pd.read_csv(REFERENCE / "exchange_rates.csv", parse_dates=["rate_month"])
    rates = rates[rates["reporting_currency"] == "EUR"]
    rates = rates.set_index(["currency", "rate_month"])["rate"]
    foreign = orders.index[orders["currency"] != "EUR"]
    months = month_starts(orders.loc[foreign, "day"])
    wanted = pd.MultiIndex.from_arrays([orders.loc[foreign, "currency"], months])
    rate = np.ones(len(orders))
    rate[foreign] = rates.reindex(wanted).to_numpy()
    orders["revenue"] = (orders["amount"] - orders["refund_amount"]) * rate
    orders["margin"] = orders["revenue"] - orders["cost_amount"] * rate
    return orders[["customer", "day", "revenue", "margin"]], customers


def month_starts(days: pd.Series) -> np.ndarray:
    """Turn days since 1970 into the first day of their month."""
    return days.to_numpy().astype("M8[D]").astype("M8[M]").astype("M8[ns]")


def months_between(earlier: pd.Series, later: pd.Series) -> np.ndarray:
    """Count calendar months from one first day of a month to another."""
    first, last = (x.to_numpy().astype("M8[M]").astype(int) for x in (earlier, later))
    return last - first


def histories(purchases: pd.DataFrame, cutoff: int, window: int) -> pd.DataFrame:
    """Describe each customer by the purchases that were known on a day.

    Parameters
    ----------
    purchases : DataFrame
        Sorted by customer and day.
    window : int
        How many days count as recent.
    """
    known = purchases[purchases["day"] <= cutoff]
    by_customer = known.groupby("customer", sort=True)
    told = by_customer.agg(
        count=("day", "size"),
        first=("day", "first"),
        last=("day", "last"),
        first_amount=("revenue", "first"),
        revenue=("revenue", "sum"),
        margin=("margin", "sum"),
    )
    told["frequency"] = told["count"] - 1
    told["days_since"] = cutoff - told["last"]
    told["age_days"] = cutoff - told["first"]
    told["mean_amount"] = told["revenue"] / told["count"]
    told["repeat_amount"] = (
        (told["revenue"] - told["first_amount"]) / told["frequency"]
    ).where(told["frequency"] > 0, 0.0)
    told["margin_rate"] = told["margin"] / told["revenue"]
    recent = known.loc[known["day"] > cutoff - window, "customer"].value_counts()
    told["recent"] = recent.reindex(told.index, fill_value=0)
    return told


def value(told: pd.DataFrame) -> pd.DataFrame:
    """Fit BG/NBD and Gamma-Gamma; value each customer's next 12 and 36 months."""
    weeks = (
        told["frequency"],
        (told["last"] - told["first"]) / 7,
        told["age_days"] / 7,
    )
    process = BetaGeoFitter().fit(*weeks)
    again = told[told["repeat_amount"] > 0]
    spend = GammaGammaFitter().fit(again["frequency"], again["repeat_amount"])
    per_purchase = told["margin_rate"] * spend.conditional_expected_average_profit(
        told["frequency"].where(told["repeat_amount"] > 0, 0), told["repeat_amount"]
    )
    found = pd.DataFrame(
        {"p_alive_rate": process.conditional_probability_alive(*weeks)},
        index=told.index,
    )
    before, worth = 0.0, np.zeros(len(told))
    for month in range(1, 37):
        purchases = process.conditional_expected_number_of_purchases_up_to_time(
            month * WEEKS_A_MONTH, *weeks
        )
        discount = (1 + YEARLY_DISCOUNT) ** (month / 12)
        worth = worth + (purchases - before) * per_purchase / discount
        before = purchases
        if month in (12, 36):
            found[f"expected_purchases_{month}_months"] = purchases
            found[f"residual_value_{month}_months_amount"] = worth
    return found.assign(historic_margin_amount=told["margin"])


def segment(told: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
    """Score recency, frequency and money; find groups of similar customers."""
    found = pd.DataFrame(index=told.index)
    for score, column, is_rising in (
        ("recency_score", "days_since", False),
        ("frequency_score", "count", True),
        ("monetary_score", "revenue", True),
    ):
        share = told[column].rank(method="max", pct=True, ascending=is_rising)
        found[score] = np.ceil(5 * share).astype(int)
    names = pd.read_csv(REFERENCE / "rfm_segments.csv")
    names = names.set_index(["recency_score", "frequency_class"])["rfm_segment"]
    classes = found["frequency_score"].where(told["count"] > 1, 0)
    wanted = pd.MultiIndex.from_arrays([found["recency_score"], classes])
    found["rfm_segment"] = pd.Categorical(names.reindex(wanted).to_numpy())

    traits = np.log1p(told[["frequency", "days_since", "mean_amount"]].clip(lower=0))
    scaled = StandardScaler().fit_transform(traits)
    chosen = chance.permutation(len(scaled))[:SAMPLE]
    best = max(
        (KMeans(k, n_init=5, random_state=0).fit(scaled[chosen]) for k in range(2, 8)),
        key=lambda fit: silhouette_score(
            scaled[chosen], fit.labels_, sample_size=10_000, random_state=0
        ),
    )
    found["cluster_number"] = best.predict(scaled)
    return found


def churn(
    purchases: pd.DataFrame, live: int, window: int, chance: np.random.Generator
) -> tuple[pd.DataFrame, float]:
    """Learn who does not buy again within the window; judge it on the last one.

    Returns
    -------
    scores : DataFrame
        churn_probability_rate of each customer, as of the live day.
    auc : float
        On the last window, of what was learned before it.
    """

    def at(cutoff: int) -> pd.DataFrame:
        told = histories(purchases, cutoff, window)
        told[TRAITS] = np.log1p(told[TRAITS].clip(lower=0))
        later = purchases["day"].between(cutoff + 1, cutoff + window)
        told["left"] = ~told.index.isin(purchases.loc[later, "customer"].unique())
        return told

    def learn(told: pd.DataFrame):
        told = told.iloc[chance.permutation(len(told))[:SAMPLE]]
        learner = LogisticRegressionCV(
            Cs=[0.001, 0.01, 0.1, 1.0], cv=5, scoring="neg_log_loss", max_iter=1000
        )
        return make_pipeline(StandardScaler(), learner).fit(told[TRAITS], told["left"])

    earlier, last, now = (at(live - n * window) for n in (2, 1, 0))
    expected = learn(earlier).predict_proba(last[TRAITS])[:, 1]
    rate = learn(last).predict_proba(now[TRAITS])[:, 1]
    scores = pd.DataFrame({"churn_probability_rate": rate}, index=now.index)
    return scores, float(roc_auc_score(last["left"], expected))


def retention(days: pd.DataFrame, purchases: pd.DataFrame) -> pd.DataFrame:
    """Count who bought again, by month of the first purchase and months since."""
    active = pd.DataFrame(
        {"customer": purchases["customer"], "month": month_starts(purchases["day"])}
    ).drop_duplicates()
    first = active.groupby("customer")["month"].min()
    active["cohort_month"] = active["customer"].map(first)
    cells = active.groupby(["cohort_month", "month"]).size()
    money = days.assign(
        month=month_starts(days["day"]), cohort_month=days["customer"].map(first)
    )
    money = money[money["month"] >= money["cohort_month"]]
    sums = money.groupby(["cohort_month", "month"])[["revenue", "margin"]].sum()
    # a cohort has a cell for every month, also one in which nobody bought
    last = active["month"].max()
    grid = [
        (cohort, month)
        for cohort in sorted(first.unique())
        for month in pd.date_range(cohort, last, freq="MS")
    ]
    index = pd.MultiIndex.from_tuples(grid, names=["cohort_month", "month"])
    found = sums.reindex(index, fill_value=0.0).reset_index()
    found["active_customer_count"] = cells.reindex(index, fill_value=0).to_numpy()
    found["cohort_customer_count"] = found["cohort_month"].map(first.value_counts())
    found["retention_rate"] = (
        found["active_customer_count"] / found["cohort_customer_count"]
    )
    found["cumulative_margin"] = found.groupby("cohort_month")["margin"].cumsum()
    found["months_since_cohort"] = months_between(found["cohort_month"], found["month"])
    return found


def channels(shop: Path, first_days: pd.Series, live: int) -> pd.DataFrame:
    """Divide what a channel spent in a month by the customers who came by it.

    Parameters
    ----------
    first_days : Series
        Day of the first purchase by customer_id.
    live : int
        The last day of the orders; what was spent later is not known yet.
    """
    listed = pd.read_parquet(
        shop / "customers.parquet", columns=["customer_id", "acquisition_channel"]
    ).set_index("customer_id")["acquisition_channel"]
    came = pd.DataFrame(
        {
            "month": month_starts(first_days),
            "channel": listed.reindex(first_days.index).fillna("unknown").to_numpy(),
        }
    )
    spend = pd.read_parquet(shop / "marketing_spend.parquet")
    spent_days = pd.to_datetime(spend["spend_date"]).to_numpy().astype("M8[D]")
    spend["day"] = spent_days.astype(int)
    spend = spend[spend["day"] <= live].copy()
    spend["month"] = month_starts(spend["day"])
    spend["amount"] = spend["amount"].astype(float)
    found = pd.concat(
        [
            spend.groupby(["month", "channel"])["amount"].sum(),
            came.groupby(["month", "channel"]).size().rename("new_customer_count"),
        ],
        axis=1,
    ).fillna(0)
    is_known = (found["amount"] > 0) & (found["new_customer_count"] > 0)
    found["cac_amount"] = (found["amount"] / found["new_customer_count"]).where(
        is_known
    )
    return found.reset_index()


def run(shop: Path, output: Path) -> dict:
    """Answer all questions; write the answers; say what came out."""
    chance = np.random.default_rng(1)
    orders, customers = read_orders(shop)
    days = orders.groupby(["customer", "day"], sort=True, as_index=False).sum()
    live = int(orders["day"].max())
    window = min(365, int(0.25 * (live - orders["day"].min())))
    del orders
    purchases = days[days["revenue"] > 0]
    told = histories(purchases, live, window)
    scores, auc = churn(purchases, live, window, chance)
    tables = {
        "fct_customer_value": value(told),
        "fct_customer_segments": segment(told, chance),
        "fct_customer_churn": scores,
    }
    for table in tables.values():
        table.index = customers[table.index].rename("customer_id")
    first_days = told["first"].set_axis(customers[told.index])
    tables["fct_cohort_retention"] = retention(days, purchases)
    tables["fct_channel_months"] = channels(shop, first_days, live)
    output.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(output / f"{name}.parquet")
    values = tables["fct_customer_value"]
    return {
        "rows": {name: len(table) for name, table in tables.items()},
        "totals": {
            "customers": len(told),
            "purchases": int(told["count"].sum()),
            "revenue": round(float(days["revenue"].sum()), 2),
            "active_customer_months": int(
                tables["fct_cohort_retention"]["active_customer_count"].sum()
            ),
            "expected_purchases_12_months": round(
                float(values["expected_purchases_12_months"].sum()), 1
            ),
            "residual_value": round(
                float(values["residual_value_36_months_amount"].sum()), 2
            ),
            "churn_auc": round(auc, 4),
            "spend": round(float(tables["fct_channel_months"]["amount"].sum()), 2),
        },
    }


def main() -> None:
    """Read the command line, run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shop", type=Path, help="a folder of benchmarks/make_shop.py")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    found = run(options.shop, options.output)
    figures = {
        "seconds": round(time.perf_counter() - START, 2),
        "cpu_seconds": round(time.process_time(), 2),
        "peak_rss_mib": peak_mib(),
    }
    print(json.dumps({"what": "rival_pandas"} | figures | found))


if __name__ == "__main__":
    main()
