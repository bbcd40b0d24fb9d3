"""What holds for any orders, however dirty: nothing lost, nothing invented.

Hypothesis draws a shop of a few hundred rows at a time, the same ones in every run: the
first has one order over and over, the next is random. The expected sums are added up
here from what was drawn.
"""

import csv
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Warehouse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.faults

SELECT = (
    "--select",
    *(
        f"+{name}"
        for name in (
            "dim_customers", "fct_customer_months", "fct_input_health", "fct_orders",
            "fct_order_items", "fct_reconciliation", "fct_rejected_rows",
        )
    ),
)  # fmt: skip
# the engine's own hashes may differ where the content is equal
HASHED = {"fct_orders": ("content_hash",), "fct_customer_months": ("content_hash",)}
# a shop is drawn once and not made smaller: a build takes seconds
DRAWN = settings(
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

IDS = ["o'; drop table x; --", "😀", 'a "b"', "two\nlines", "NULL", "{{ 1 / 0 }}", "-1"]
DATES = [
    "31.12.2024", "12/31/2024", "20241231", "31 Dec 2024", "1735603200", "2024-02-30",
    "1899-12-30", "0000-01-01", "-0044-03-15", "9999-12-31", "infinity", "now", "",
]  # fmt: skip
AMOUNTS = ["NaN", "1e308", "-1e400", "Infinity", "1,50", "€ 5", "10000000000", "x", ""]
CUSTOMERS = [f"c{n}" for n in range(12)]
MOMENTS = [
    ("orders", "order_id", "ordered_at"), ("customers", "customer_id", "created_at")
]  # fmt: skip
FIRST_DAY = date(2024, 1, 1)


# each is a row: Hypothesis draws no more than some kilobytes
numbers = st.integers(0, 2**32 - 1)


def chances(number: int) -> tuple[random.Random, Callable[[list, list], str]]:
    """Chance as the number has it, and what chooses a bad value now and then."""
    chance = random.Random(number)

    def mostly(good: list[str], bad: list[str]) -> str:
        return chance.choice(bad if chance.random() < 0.05 else good)

    return chance, mostly


def order(number: int) -> dict[str, str]:
    """Make the order of a number."""
    chance, mostly = chances(number)
    day = FIRST_DAY + timedelta(days=chance.randrange(700))
    amount = Decimal(chance.randint(-20_000, 9_000_000)) / 10_000
    return {
        "order_id": mostly([f"o{chance.randrange(150)}"] * 9 + IDS, [""]),
        "customer_id": chance.choice([*CUSTOMERS, *IDS, ""]),
        "ordered_at": mostly([str(day)], DATES),
        "amount": mostly([str(amount)], AMOUNTS),
        "status": chance.choice(["completed", "Completed", "cancelled", "odd", ""]),
        "cost_amount": mostly(["", "1.25"], AMOUNTS[:-1]),
        "currency": mostly(["EUR", "eur", ""], ["XXX"]),
    }


def order_item(number: int) -> dict[str, str]:
    """Make the order line of a number."""
    chance, mostly = chances(number)
    return {
        "order_id": chance.choice([f"o{chance.randrange(150)}", *IDS, "unknown", ""]),
        "line_number": mostly(["1", "2", "3.0"], ["x", "1.5", ""]),
        "product_id": mostly(["p1", "p2"], [""]),
        "quantity": mostly(["1", "2", "-1"], AMOUNTS),
        "unit_price": mostly(["9.99", "0.0001"], AMOUNTS),
    }


def customer(number: int) -> dict[str, str]:
    """Make the customer of a number."""
    chance, mostly = chances(number)
    day = FIRST_DAY + timedelta(days=chance.randrange(700))
    return {
        "customer_id": chance.choice([*CUSTOMERS, *IDS, ""]),
        "created_at": mostly([str(day)], DATES),
        "birth_date": mostly(["1980-02-29", ""], DATES),
        "has_marketing_consent": mostly(["true", "0", ""], ["perhaps"]),
    }


@st.composite
def shops(draw: st.DrawFn) -> dict[str, list[dict]]:
    """Rows of three inputs; some orders come again as they are, or corrected."""
    rows = [order(n) for n in draw(st.lists(numbers, min_size=200, max_size=250))]
    for number, row in enumerate(rows):
        row["updated_at"] = str(datetime(2026, 1, 1) + timedelta(minutes=number))
    return {
        "orders": rows + [dict(row) for row in rows[:20]],
        "order_items": [
            order_item(n) for n in draw(st.lists(numbers, min_size=50, max_size=80))
        ],
        "customers": [
            customer(n) for n in draw(st.lists(numbers, min_size=20, max_size=30))
        ],
    }


def write(folder: Path, shop: dict[str, list[dict]]) -> Path:
    """Write a shop's files and return their folder."""
    folder.mkdir(exist_ok=True)
    for name, rows in shop.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    return folder


def readable(amount: str) -> Decimal | None:
    """What the contract takes for an amount of money."""
    try:
        number = Decimal(amount)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) < 10**10 else None


def is_usable(row: dict) -> bool:
    """Whether an order has all it needs."""
    try:
        day = date.fromisoformat(row["ordered_at"].replace("20241231", ""))
    except ValueError:
        return False
    return (
        row["order_id"] != ""
        and 1990 <= day.year < 2100
        and readable(row["amount"]) is not None
        and (row["cost_amount"] == "" or readable(row["cost_amount"]) is not None)
        and row["currency"] != "XXX"
    )


@settings(DRAWN, max_examples=2)
@given(shop=shops(), seed=numbers)
def test_rows_and_money_are_conserved_in_any_order_and_by_increments(
    shop, seed, tmp_path_factory, workbench
):
    folder = tmp_path_factory.mktemp("drawn")
    usable = [row for row in shop["orders"] if is_usable(row)]
    # the last of those that are usable is the one that counts
    latest = {
        row["order_id"]: row
        for row in sorted(usable, key=lambda row: row["updated_at"])
    }

    # all at once, shuffled, one model at a time
    chance = random.Random(seed)
    shuffled = {name: chance.sample(rows, len(rows)) for name, rows in shop.items()}
    whole = Warehouse(folder / "whole.duckdb", workbench)
    whole.build(*SELECT, "--threads", "1", inputs=write(folder / "whole", shuffled))

    for name, rows in shop.items():
        delivered, accepted, quarantined, duplicates = whole.query(f"""
            select
                raw_row_count, accepted_row_count, quarantined_row_count,
                duplicate_row_count
            from fct_input_health where input_name = '{name}'
        """)[0]
        assert delivered == len(rows) == accepted + quarantined + duplicates, name
    assert whole.query("from fct_reconciliation where not is_reconciled") == []
    assert whole.query("""
        select value_in from fct_reconciliation
        where input_name = 'orders' and identity_name like 'raw money%'
    """) == [(sum(readable(row["amount"]) or 0 for row in shop["orders"]),)]
    assert whole.query("""
        select accepted_row_count, quarantined_row_count
        from fct_input_health where input_name = 'orders'
    """) == [(len(latest), len(shop["orders"]) - len(usable))]
    assert whole.query("select order_id from fct_orders order by 1") == sorted(
        (order_id,) for order_id in latest
    )
    assert whole.query("select coalesce(sum(revenue_amount), 0) from fct_orders") == [
        (
            sum(
                readable(r["amount"])
                for r in latest.values()
                if r["status"] != "cancelled"
            ),
        )
    ]
    assert whole.not_finite() == []

    # a part of it first, then all, by increments
    part = {name: rows[: len(rows) // 2 + 1] for name, rows in shuffled.items()}
    grown = Warehouse(folder / "grown.duckdb", workbench)
    grown.build(*SELECT, inputs=write(folder / "part", part))
    grown.build(*SELECT, inputs=write(folder / "all", shop))
    assert grown.marts() == whole.marts()
    for name in whole.marts():
        without = HASHED.get(name, ())
        assert grown.table(name, without) == whole.table(name, without), name


@settings(DRAWN, max_examples=2)
@given(shop=shops())
def test_a_past_day_is_as_a_build_on_that_day_saw_it(shop, tmp_path_factory, workbench):
    """Rows whose day can't be read were there on any day."""
    folder = tmp_path_factory.mktemp("drawn")
    day = "2025-06-30"
    # a correction moves nobody and nothing to another day
    for name, key, moment in MOMENTS:
        first = {}
        for row in shop[name]:
            row[moment] = first.setdefault(row[key], row[moment])
    known = shop | {
        name: [row for row in shop[name] if not is_later(row[moment], day)]
        for name, _, moment in MOMENTS
    }
    now = Warehouse(folder / "now.duckdb", workbench)
    then = Warehouse(folder / "then.duckdb", workbench)
    past = {"as_of_date": day}
    now.build(*SELECT, inputs=write(folder / "now", shop), settings=past)
    then.build(*SELECT, inputs=write(folder / "then", known), settings=past)
    for name in ("dim_customers", "fct_customer_months", "fct_orders"):
        without = HASHED.get(name, ())
        assert now.table(name, without) == then.table(name, without), name
        assert now.table(name)


def is_later(text: str, day: str) -> bool:
    """Whether a text is a date after a day."""
    try:
        return len(text) == 10 and date.fromisoformat(text) > date.fromisoformat(day)
    except ValueError:
        return False
