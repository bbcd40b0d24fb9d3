"""Building with what was learned before: `--selector daily`, `--exclude tag:learn`."""

import random
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import Result, Warehouse, write_orders

# Values, churn and forecasts of customers, with all that they are scored from.
SELECTED = ("--select", "+fct_customer_value", "+fct_retention_forecast")
LEARNED = ("ml_purchase_process", "ml_spend_process", "ml_retention_forecast")
SCORED = ("fct_customer_value", "fct_retention_forecast")


def shop(folder: Path, months: int) -> Path:
    """Orders of 60 customers who buy now and then, in the first months of 2024 on."""
    chance = random.Random(4)
    rows = []
    for customer in range(60):
        day = chance.randrange(300)
        while day < 19 * 31:
            rows.append((f"c{customer:02}", day, chance.randrange(10, 90)))
            day += 1 + int(chance.expovariate(1 / (10 + customer)))
    last_day = (date(2024 + months // 12, months % 12 + 1, 1) - date(2024, 1, 1)).days
    kept = sorted((row for row in rows if row[1] < last_day), key=lambda row: row[1])
    # on the first and last day, so that all months are complete
    kept = [("c00", 0, 20), *kept, ("c00", last_day - 1, 20)]
    return write_orders(
        folder,
        [
            (f"o{number}", customer, date(2024, 1, 1) + timedelta(days=day), amount)
            for number, (customer, day, amount) in enumerate(kept)
        ],
    )


@pytest.fixture(scope="module")
def rescored(
    tmp_path_factory: pytest.TempPathFactory, workbench: Path
) -> tuple[Warehouse, Result, list[tuple], dict[str, tuple]]:
    """A shop that tries to score first, then learns, then scores a month more."""
    folder = tmp_path_factory.mktemp("rescored")
    warehouse = Warehouse(folder / "own.duckdb", workbench)
    inputs = shop(folder / "inputs", 18)
    arguments = (*SELECTED, "--exclude", "tag:learn", "resource_type:test")
    refused = warehouse.dbt("build", *arguments, inputs=inputs)
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        present = connection.execute("from duckdb_tables()").fetchall()
    warehouse.build(inputs=inputs)
    before = {name: warehouse.table(f"learned.{name}") for name in LEARNED}
    before |= {name: warehouse.table(name) for name in SCORED}
    warehouse.build("--selector", "daily", inputs=shop(folder / "later", 19))
    return warehouse, refused, present, before


def test_a_new_warehouse_has_nothing_to_score_with_and_says_so(rescored):
    _, refused, present, _ = rescored
    assert not refused.succeeded
    assert "Nothing has been learned yet" in refused.output
    assert "Run `dbt build` once without `--exclude tag:learn`" in refused.output
    assert all(name in refused.output for name in LEARNED)
    # of the learned tables only those that something selected reads
    assert "ml_contract_process" not in refused.output.split("Run `dbt build`")[0]
    assert present == []


def test_what_was_learned_scores_new_orders_as_it_stands(rescored):
    warehouse, _, _, before = rescored
    for name in LEARNED:
        assert before[name], name
        assert warehouse.table(f"learned.{name}") == before[name]
    for name in SCORED:
        assert warehouse.table(name) != before[name]
    assert warehouse.query(
        "select count(*) > 0 from fct_customer_value where residual_value_amount > 0"
    ) == [(True,)]


def test_a_month_that_has_passed_since_stands_beside_its_forecast(rescored):
    warehouse, _, _, before = rescored
    passed = date(2025, 7, 1)
    query = f"""
        select is_forecast, actual_value is not null, forecast_value
        from fct_retention_forecast
        where series_name = 'revenue_amount' and calendar_month = '{passed}'
    """
    [(is_forecast, has_actual, forecast_value)] = warehouse.query(query)
    assert not is_forecast and has_actual
    assert [forecast_value] == [
        row[5]
        for row in before["fct_retention_forecast"]
        if row[0] == "revenue_amount" and row[1] == passed and row[10]
    ]


def test_a_daily_build_leaves_out_no_more_than_it_says(rescored):
    """Whatever is not tagged weekly is as if all but the learners had been built."""
    warehouse, _, _, _ = rescored
    listed = warehouse.dbt(
        "ls", "--select", "tag:weekly", "--output", "name", "--quiet"
    ).output
    weekly = {name for name in listed.split() if name.startswith("fct_")}
    daily = {name: warehouse.table(name) for name in warehouse.marts()}
    stood = warehouse.table("fct_value_backtest")
    inputs = warehouse.path.parent / "later"
    warehouse.build("--exclude", "tag:learn", inputs=inputs)
    whole = {name: warehouse.table(name) for name in warehouse.marts()}
    assert {name for name in whole if whole[name] != daily[name]} <= weekly
    # and it does leave those out
    assert warehouse.table("fct_value_backtest") != stood
