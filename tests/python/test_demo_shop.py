"""The demo shop: the same bytes from every run, and books that balance.

The rows are counted again here from the input contract and the rules of the inputs,
without a look at how the script made them.
"""

import csv
import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
SCRIPT = REPOSITORY / "scripts" / "make_demo_shop.py"
DEMO = REPOSITORY / "seeds" / "demo"
REFERENCE = REPOSITORY / "seeds" / "reference"
CONTRACT = REPOSITORY / "models" / "staging" / "shop" / "_shop__sources.yml"

TRUTH = json.loads((DEMO / "ground_truth.json").read_text(encoding="utf-8"))
INPUTS = list(TRUTH["accounting"])
# The date of each input that must lie in the time of the shop.
MOMENTS = {
    "orders": "ordered_at",
    "customers": "created_at",
    "marketing_spend": "spend_date",
    "touchpoints": "touched_at",
    "events": "occurred_at",
    "surveys": "responded_at",
    "subscriptions": "started_at",
    "experiments": "assigned_at",
}
MONEY = {
    "orders": lambda row: Decimal(row["amount"]),
    "order_items": lambda row: Decimal(row["quantity"]) * Decimal(row["unit_price"]),
    "marketing_spend": lambda row: Decimal(row["amount"]),
    "subscriptions": lambda row: Decimal(row["monthly_amount"]),
    "experiments": lambda row: Decimal(row["cost_amount"]),
}


def read_contract() -> dict[str, dict[str, tuple[str, bool]]]:
    """Return (type, required) of each column of each input."""
    tables = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["sources"][0][
        "tables"
    ]
    return {
        table["name"]: {
            column["name"]: (
                column["data_type"],
                column.get("config", {}).get("meta", {}).get("required", False),
            )
            for column in table["columns"]
        }
        for table in tables
    }


def read_rows(name: str) -> list[dict[str, str]]:
    with (DEMO / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def parse_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def future_starts(name: str, rows: list[dict[str, str]]) -> datetime:
    """Return the first date more than three years after the one before it."""
    moments = (parse_moment(row[MOMENTS[name]]) for row in rows)
    dates = sorted({moment for moment in moments if moment and moment.year >= 1990})
    gaps = (
        later
        for earlier, later in pairwise(dates)
        if later - earlier > timedelta(days=1096)
    )
    return next(gaps, datetime.max)


def cell_reason(text: str, data_type: str) -> str | None:
    """Say what is wrong with a cell that is not empty."""
    if data_type in ("timestamp", "date"):
        return None if parse_moment(text) else "unparseable_date"
    if data_type == "boolean":
        return None if text in ("true", "false") else "unparseable_boolean"
    if data_type == "integer":
        return None if re.fullmatch(r"-?\d+", text) else "unparseable_number"
    if data_type.startswith("decimal"):
        try:
            value = float(text)
        except ValueError:
            return "unparseable_number"
        if not math.isfinite(value):
            return "not_finite"
        return "out_of_range" if abs(value) >= 1e10 else None
    return None


def moment_reason(text: str, future: datetime) -> str | None:
    moment = parse_moment(text)
    if moment is None:
        return None
    if moment.year < 1990:
        return "before_1990"
    return "in_future" if moment >= future else None


def special_reasons(name: str, row: dict[str, str], currencies: set[str]) -> list[str]:
    """List the reasons that only one input knows."""
    if name == "orders" and row["currency"] not in currencies:
        return ["currency: no_exchange_rate"]
    if name == "surveys" and re.fullmatch(r"-?\d+", row["score"]):
        return [] if 0 <= int(row["score"]) <= 10 else ["score: out_of_range"]
    if name == "subscriptions":
        start, end = parse_moment(row["started_at"]), parse_moment(row["ended_at"])
        if start and end and end < start:
            return ["ended_at: before_started_at"]
    return []


def judge(name: str, rows: list[dict[str, str]]) -> list[list[str]]:
    """List why each row is rejected."""
    rates = pd.read_csv(REFERENCE / "exchange_rates.csv")
    currencies = {"EUR", *rates.currency}
    columns = read_contract()[name]
    moment = MOMENTS.get(name)
    future = future_starts(name, rows) if moment else datetime.max
    judged = []
    for row in rows:
        reasons = special_reasons(name, row, currencies)
        for column, (data_type, required) in columns.items():
            if row[column]:
                reason = cell_reason(row[column], data_type)
                if column == moment:
                    reason = reason or moment_reason(row[column], future)
            else:
                guest = (name, column) == ("orders", "customer_id")
                reason = "missing" if required and not guest else None
            if reason:
                reasons.append(f"{column}: {reason}")
        judged.append(reasons)
    return judged


def settle(
    name: str, rows: list[dict[str, str]], reasons: list[list[str]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Split the rows that are not rejected into those that count and duplicates."""
    versions = defaultdict(list)
    for row, why in zip(rows, reasons, strict=True):
        if not why:
            key = tuple(row[column] for column in TRUTH["accounting"][name]["key"])
            versions[key].append(row)
    accepted, duplicates = [], []
    for group in versions.values():
        group = sorted(group, key=lambda row: row.get("updated_at", ""), reverse=True)
        accepted.append(group[0])
        duplicates += group[1:]
    return accepted, duplicates


@pytest.fixture(scope="module")
def shop() -> dict[str, dict]:
    """Count every input again: rows, reasons, what counts and what does not."""
    counted = {}
    for name in INPUTS:
        rows = read_rows(name)
        reasons = judge(name, rows)
        accepted, duplicates = settle(name, rows, reasons)
        counted[name] = {
            "rows": rows,
            "reasons": reasons,
            "accepted": accepted,
            "duplicate": duplicates,
            "quarantined": [row for row, why in zip(rows, reasons, strict=True) if why],
        }
    return counted


@pytest.fixture(scope="module")
def warehouse(shop: dict[str, dict]) -> duckdb.DuckDBPyConnection:
    """Load the accepted rows and the reference tables, as text, into DuckDB."""
    connection = duckdb.connect()
    for name, counted in shop.items():
        frame = pd.DataFrame(counted["accepted"])  # noqa: F841 (DuckDB reads it)
        connection.execute(f"create table {name} as select * from frame")
    for name in ("exchange_rates", "order_statuses"):
        path = REFERENCE / f"{name}.csv"
        connection.execute(f"create table {name} as from read_csv('{path}')")
    connection.execute(
        """
        create table purchases as
        select customer_id, ordered_at::date as day
        from orders left join order_statuses using (status)
        where customer_id <> '' and coalesce(order_state, 'completed') = 'completed'
        group by all
        having sum(amount::decimal(18, 2) - refund_amount::decimal(18, 2)) > 0
        """
    )
    return connection


def test_the_script_writes_the_committed_files_byte_for_byte(tmp_path: Path):
    subprocess.run([sys.executable, SCRIPT, "--output", tmp_path], check=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_bytes() for path in DEMO.iterdir()}
    assert sorted(written) == sorted(committed)
    assert [name for name in written if written[name] != committed[name]] == []


def test_the_demo_shop_is_smaller_than_four_megabytes():
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 4_000_000


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_has_every_column_of_the_contract_in_its_order(name: str):
    with (DEMO / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == list(read_contract()[name])


def test_the_ground_truth_accounts_for_every_input_of_the_contract():
    assert sorted(INPUTS) == sorted(read_contract())


@pytest.mark.parametrize("name", INPUTS)
def test_the_ground_truth_counts_the_rows_of_an_input_and_what_becomes_of_them(
    name: str, shop: dict[str, dict]
):
    truth, counted = TRUTH["accounting"][name], shop[name]
    assert truth["raw_rows"] == len(counted["rows"])
    for fate in ("accepted", "quarantined", "duplicate"):
        assert truth[f"{fate}_rows"] == len(counted[fate]), fate


@pytest.mark.parametrize("name", INPUTS)
def test_the_ground_truth_counts_every_reason(name: str, shop: dict[str, dict]):
    reasons = Counter(reason for row in shop[name]["reasons"] for reason in row)
    assert TRUTH["accounting"][name]["reasons"] == reasons


@pytest.mark.parametrize("name", INPUTS)
def test_the_ground_truth_tells_exact_copies_from_other_versions(
    name: str, shop: dict[str, dict]
):
    accepted = {tuple(row.values()) for row in shop[name]["accepted"]}
    duplicates = [tuple(row.values()) for row in shop[name]["duplicate"]]
    exact = sum(row in accepted for row in duplicates)
    truth = TRUTH["accounting"][name]["duplicates"]
    assert truth == {"exact": exact, "different": len(duplicates) - exact}


@pytest.mark.parametrize("name", MONEY)
def test_the_ground_truth_knows_the_money_of_an_input(name: str, shop: dict[str, dict]):
    def readable(row: dict[str, str]) -> Decimal:
        columns = TRUTH["accounting"][name]["money"]["of"].split(" x ")
        bad = [not row[c] or cell_reason(row[c], "decimal") for c in columns]
        return Decimal(0) if any(bad) else MONEY[name](row)

    truth = TRUTH["accounting"][name]["money"]
    sums = {
        fate: sum(map(readable, shop[name][fate]), Decimal(0))
        for fate in ("accepted", "quarantined", "duplicate")
    }
    assert {fate: Decimal(str(truth[fate])) for fate in sums} == sums
    assert Decimal(str(truth["total"])) == sum(sums.values())


def test_the_lines_of_an_order_add_up_to_its_amount(
    warehouse: duckdb.DuckDBPyConnection,
):
    unequal = warehouse.execute(
        """
        select order_id
        from orders full join (
            select
                order_id,
                sum(quantity::decimal(18, 2) * unit_price::decimal(18, 2)) as total
            from order_items
            group by order_id
        ) as lines using (order_id)
        where amount::decimal(18, 2) is distinct from total
        """
    ).fetchall()
    assert unequal == []


def test_the_ground_truth_counts_the_purchases(warehouse: duckdb.DuckDBPyConnection):
    counts = warehouse.execute(
        """
        select count(*), count(distinct customer_id), strftime(max(day), '%Y-%m-%d')
        from purchases
        """
    ).fetchone()
    truth = TRUTH["purchases"]
    names = ("customer_days", "customers", "last_purchase_date")
    assert counts == tuple(truth[name] for name in names)


def test_the_shop_ends_on_its_last_day(warehouse: duckdb.DuckDBPyConnection):
    ends = warehouse.execute(
        "select max(ordered_at)[:10], max(updated_at)[:10] from orders"
    ).fetchone()
    assert ends == (TRUTH["last_day"], "2026-01-02")


def test_no_order_was_updated_before_it_was_placed(
    warehouse: duckdb.DuckDBPyConnection,
):
    early = "select order_id from orders where updated_at < ordered_at"
    assert warehouse.execute(early).fetchall() == []


def test_a_customer_is_known_before_ordering(warehouse: duckdb.DuckDBPyConnection):
    late = """
        select customer_id
        from customers join orders using (customer_id)
        group by customer_id
        having min(ordered_at) < min(created_at)
            or min(ordered_at)::timestamp
            > min(created_at)::timestamp + interval 30 days
    """
    assert warehouse.execute(late).fetchall() == []


def test_a_channel_spends_its_cac_on_each_new_customer(
    warehouse: duckdb.DuckDBPyConnection,
):
    spend = dict(
        warehouse.execute(
            """
            select channel, sum(amount::decimal(18, 2))
            from marketing_spend
            group by channel
            """
        ).fetchall()
    )
    customers = dict(
        warehouse.execute(
            """
            select acquisition_channel, count(distinct customer_id)
            from customers semi join purchases using (customer_id)
            group by acquisition_channel
            """
        ).fetchall()
    )
    channels = TRUTH["channels"]
    assert customers == {name: truth["customers"] for name, truth in channels.items()}
    brand = TRUTH["brand_channel"]
    assert spend.pop(brand["channel"]) == brand["marketing_spend"]
    assert {name: float(total) / customers[name] for name, total in spend.items()} == {
        name: pytest.approx(truth["cac"])
        for name, truth in channels.items()
        if truth["cac"] is not None
    }


def test_one_channel_has_one_month_with_spend_and_no_new_customer(
    warehouse: duckdb.DuckDBPyConnection,
):
    silent = warehouse.execute(
        """
        select distinct channel, spend_date[:7]
        from marketing_spend
        where channel <> ?
        except
        select acquisition_channel, strftime(min(day), '%Y-%m')
        from customers join purchases using (customer_id)
        group by customer_id, acquisition_channel
        """,
        [TRUTH["brand_channel"]["channel"]],
    ).fetchall()
    truth = TRUTH["spend_without_customers"]
    assert silent == [(truth["channel"], truth["month"])]


def test_an_arm_brings_about_its_additional_buyers(
    warehouse: duckdb.DuckDBPyConnection,
):
    buyers = warehouse.execute(
        """
        select arm, count(distinct customer_id)
        from experiments join purchases using (customer_id)
        where experiment_id = 'winback_email_2025'
            and day - assigned_at::date between 1 and 60
        group by arm
        """
    ).fetchall()
    truth = TRUTH["experiments"]["winback_email_2025"]
    assert dict(buyers) == {
        arm: counts["would_buy_anyway"] + counts["buy_additionally"]
        for arm, counts in truth["realised"].items()
    }
    for arm, counts in truth["realised"].items():
        assert counts["buy_additionally"] == truth["uplift"][arm] * counts["customers"]
