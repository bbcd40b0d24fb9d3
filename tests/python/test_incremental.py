"""After any sequence of incremental builds the tables equal a full refresh."""

import datetime
import random

import duckdb
import pytest
from conftest import write_orders

KEPT_BY_MONTH = ("fct_orders", "int_customer_days", "fct_customer_months")
SELECT = ("--select", *(f"+{name}" for name in KEPT_BY_MONTH))
FIRST_DAY = datetime.date(2024, 1, 1)


def random_order(chance: random.Random, number: int, days: tuple[int, int]) -> tuple:
    """One order of few customers, guests and refunds among them."""
    day = FIRST_DAY + datetime.timedelta(days=chance.randint(*days))
    customer = chance.choice(["ann", "ben", "cleo", "dan", None])
    amount = chance.choice(["0", "10.00", "25.50", "-10.00", "3.3333"])
    status = chance.choice(["completed", "completed", "completed", "cancelled"])
    return (f"o{number}", customer, day, amount, status)


def changed(chance: random.Random, rows: list[tuple], change: str) -> list[tuple]:
    """Return the rows after a day's trouble."""
    number = 1000 + chance.randint(0, 10**6)
    days = [row[2] for row in rows]
    last = (max(days) - FIRST_DAY).days
    if change == "new days":
        return rows + [
            random_order(chance, number + i, (last, last + 45)) for i in range(8)
        ]
    if change == "late arrival":
        return [*rows, random_order(chance, number, (0, last))]
    if change == "correction":
        i = chance.randrange(len(rows))
        row = rows[i]
        return [*rows[:i], (*row[:3], "99.99", row[4]), *rows[i + 1 :]]
    if change == "another customer":
        i = chance.randrange(len(rows))
        row = rows[i]
        return [*rows[:i], (row[0], "eve", *row[2:]), *rows[i + 1 :]]
    if change == "deletion":
        return [row for row in rows if chance.random() > 0.1]
    if change == "last month deleted":
        return [row for row in rows if row[2].replace(day=1) < max(days).replace(day=1)]
    if change == "first month deleted":
        return [row for row in rows if row[2].replace(day=1) > min(days).replace(day=1)]
    return rows


CHANGES = [
    "nothing", "new days", "late arrival", "correction", "another customer", "deletion",
    "last month deleted", "first month deleted",
]  # fmt: skip


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.faults)])
def test_increments_equal_a_full_refresh(seed, tmp_path, warehouse, other_warehouse):
    chance = random.Random(seed)
    rows = [random_order(chance, number, (0, 150)) for number in range(60)]
    header = "order_id,customer_id,ordered_at,amount,status"
    # two changes between one build and the next
    changes = chance.sample(CHANGES, len(CHANGES))
    for step, change in enumerate([(), *zip(changes[::2], changes[1::2], strict=True)]):
        for one in change:
            rows = changed(chance, rows, one)
        shop = write_orders(tmp_path / f"shop{step}", rows, header)
        warehouse.build(*SELECT, inputs=shop)
        other_warehouse.build(*SELECT, "--full-refresh", inputs=shop)
        for name in KEPT_BY_MONTH:
            assert warehouse.table(name) == other_warehouse.table(name), (change, name)


def test_only_the_months_from_the_first_change_on_are_rebuilt(tmp_path, warehouse):
    rows = [(f"o{m}", "ann", f"2024-{m:02}-15", "10.00") for m in range(1, 7)]
    warehouse.build(*SELECT, inputs=write_orders(tmp_path / "before", rows))
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("update fct_orders set sales_channel = 'as it stood'")
    rows[3] = ("o4", "ann", "2024-04-15", "11.00")
    warehouse.build(*SELECT, inputs=write_orders(tmp_path / "after", rows))
    assert warehouse.query(
        "select order_id, order_number, sales_channel from fct_orders order by 1"
    ) == [(f"o{m}", m, "as it stood" if m < 4 else None) for m in range(1, 7)]
