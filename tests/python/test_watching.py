"""Thresholds stop a build, and `make status` says how the warehouse stands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from conftest import DBT_SETTINGS, REPOSITORY, MacroProject, Warehouse, write_orders

SELECTED = (
    "--select",
    "+fct_rejection_reasons",
    "+fct_input_volumes",
    "volumes_are_within_the_threshold",
)
# One set, so that the project is parsed once.
THRESHOLDS = {
    "orders_maximum_age_days": 3,
    "inputs_minimum_rows": {"orders": 250},
    "inputs_minimum_share_of_last_build": 0.9,
    "inputs_maximum_rejected_rate": {"orders": 0.02},
    "inputs_maximum_volume_z_score": 3.5,
    "customers_is_complete": True,
}


def shop(
    folder: Path,
    days: int = 60,
    days_ago: int = 0,
    amount: str = "10.00",
    per_day: Callable[[int], int] = lambda days_ago: 5,
    is_known: Callable[[int], bool] = lambda number: True,
) -> Path:
    """Orders of 60 days up to a day, customers who are known, and 60 events.

    The real day it is: nothing else can be too old or not.
    """
    last = datetime.now(UTC).date() - timedelta(days=days_ago)
    dates = [
        str(last - timedelta(days=day))
        for day in range(days)
        for _ in range(per_day(day))
    ]
    rows = [
        (f"o{number}", f"c{number % 50}", date, amount if number < 20 else "10.00")
        for number, date in enumerate(dates)
    ]
    write_orders(folder, rows)
    customers = [f"c{number}" for number in range(50) if is_known(number)]
    (folder / "customers.csv").write_text("\n".join(["customer_id", *customers]))
    events = [f"c{day % 50},{dates[5 * day]},visit" for day in range(40)]
    (folder / "events.csv").write_text(
        "\n".join(["customer_id,occurred_at,event_type", *events])
    )
    return folder


def status(warehouse: Path, published: Path | None = None) -> tuple[int, str]:
    """The exit code of the command, and all that it said."""
    environment = {k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS}
    if published:
        environment["CLV_PUBLISHED"] = str(published)
    run = subprocess.run(
        [sys.executable, "scripts/status.py", str(warehouse)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, workbench: Path) -> Warehouse:
    """A shop that was built without any threshold."""
    folder = tmp_path_factory.mktemp("watched")
    built = Warehouse(folder / "built.duckdb", workbench)
    return built.build(*SELECTED, inputs=shop(folder / "shop"))


@pytest.fixture
def warehouse(built: Warehouse, tmp_path: Path, workbench: Path) -> Warehouse:
    """A copy of it."""
    shutil.copy(built.path, tmp_path / "own.duckdb")
    return Warehouse(tmp_path / "own.duckdb", workbench)


def test_old_and_missing_inputs_stop_a_build_before_it_touches_a_table(
    warehouse, tmp_path
):
    before = warehouse.table("fct_input_health")
    inputs = shop(tmp_path / "shop", days=40, days_ago=10)
    (inputs / "events.csv").unlink()
    result = warehouse.dbt("build", *SELECTED, inputs=inputs, settings=THRESHOLDS)
    assert not result.succeeded
    said = " ".join(result.output.split())
    last = datetime.now(UTC).date() - timedelta(days=10)
    assert f"orders: the last one is of {last}, " in said
    assert "at most 3 days are allowed (var orders_maximum_age_days)" in said
    assert (
        "orders: 200 rows were delivered, at least 250 are wanted"
        " (var inputs_minimum_rows)"
    ) in said
    assert (
        "orders: 200 rows were delivered, the last build had 300; at least 90.0 % of"
        " them are wanted (var inputs_minimum_share_of_last_build)"
    ) in said
    assert "events: 0 rows were delivered, the last build had 40" in said
    assert "customers: " not in said
    assert warehouse.table("fct_input_health") == before


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        # 20 of 300
        ({"amount": "ten"}, "amount: unparseable_number (20)"),
        # 4 of 50 customers, each with 6 of the 300 orders
        ({"is_known": lambda n: n >= 4}, "customer_id: unknown_customer (24)"),
    ],
    ids=["unreadable", "unknown customers"],
)
def test_too_many_rejected_rows_stop_what_reads_them(
    fault, reason, warehouse, tmp_path
):
    before = warehouse.table("fct_input_health")
    result = warehouse.dbt(
        "build",
        *SELECTED,
        inputs=shop(tmp_path / "shop", **fault),
        settings=THRESHOLDS,
    )
    assert not result.succeeded
    said = " ".join(result.output.split())
    rejected = reason.split("(")[1].rstrip(")")
    share = round(100 * int(rejected) / 300, 2)
    assert (
        f"{rejected} of 300 rows of orders are rejected, {share} %; at most 2.0 % are"
        " allowed (var inputs_maximum_rejected_rate)"
    ) in said
    assert f"Most of them for: {reason}." in said
    assert warehouse.table("fct_input_health") == before
    code, page = status(warehouse.path)
    assert code == 1
    assert "skipped for it" in page
    assert "base_shop__orders" in page


def test_a_quiet_week_fails_the_build_and_a_usual_one_does_not(warehouse, tmp_path):
    """Seven days of one order each where 35 are usual: -28 / sqrt(35) = -4.7."""
    quiet = shop(
        tmp_path / "quiet", days=65, per_day=lambda day: 1 if 1 <= day <= 7 else 5
    )
    usual = shop(tmp_path / "usual", days=65)
    for inputs, fails in ((quiet, True), (usual, False)):
        result = warehouse.dbt(
            "build",
            *SELECTED,
            "--indirect-selection",
            "empty",
            inputs=inputs,
            settings=THRESHOLDS,
        )
        assert result.succeeded != fails, result.output
        assert ("volumes_are_within_the_threshold" in failed(result.output)) == fails
    code, page = status(warehouse.path)
    assert code == 0
    assert "failed in the build before, and passed now" in page


def failed(output: str) -> str:
    """The lines of what failed."""
    return "\n".join(line for line in output.splitlines() if " FAIL " in line)


def test_what_became_of_the_last_thirty_builds_is_kept(warehouse):
    [(invocation, seeds)] = warehouse.query("""
        select invocation_id, count(*) filter (node_type = 'seed')
        from operations.build_results
        where status = 'success' and as_of_date is not null and command = 'build'
        group by invocation_id
    """)
    assert seeds > 0
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("""
            insert into operations.build_results
            select build_results.* replace (
                'earlier ' || days as invocation_id,
                started_at - to_days(days::integer) as started_at
            )
            from operations.build_results, range(1, 41) as earlier (days)
        """)
    warehouse.build("--select", "order_statuses")
    kept = warehouse.query("""
        select invocation_id, count(*) from operations.build_results
        group by invocation_id order by max(started_at) desc
    """)
    assert len(kept) == 30
    assert kept[0][1] == 1
    assert [name for name, _ in kept[1:]] == [
        invocation,
        *(f"earlier {days}" for days in range(1, 29)),
    ]


def test_a_threshold_that_is_none_is_refused(macro_project: MacroProject):
    source = {"sources": [{"name": "shop", "tables": [{"name": "orders"}]}]}
    (macro_project.folder / "models" / "sources.yml").write_text(json.dumps(source))
    cases = {
        "fine": ({"orders": 0.5}, None),
        "empty": (None, None),
        "no_mapping": (0.5, "must name inputs, as in {orders: 1}, not 0.5"),
        "unknown_input": ({"oders": 0.5}, "does not have: oders. It has: orders"),
        "no_number": (
            {"orders": "0.5; drop"},
            "must give orders a number of at least 0",
        ),
        "too_large": ({"orders": 2}, "at most 1, not 2"),
    }
    macro_project.run(
        {
            name: "{% if execute %}{% do setting_by_input('" + name + "', minimum=0,"
            " maximum=1) %}{% endif %}select 1 as one"
            for name in cases
        },
        {name: value for name, (value, _) in cases.items()},
    )
    results = macro_project.results()
    for name, (_, message) in cases.items():
        assert (results[name]["status"] == "success") == (message is None), name
        assert (message or "") in " ".join(results[name]["message"].split())


# -- make status --------------------------------------------------------------------


def test_the_page_of_the_demo_shop_says_all_there_is_to_say(demo):
    code, page = status(demo.path)
    assert code == 0, page
    assert "as of 2025-12-31" in page
    assert "nothing failed" in page
    assert "no row and no cent was lost" in page
    # put into the demo shop to be found
    assert "Unknown status counted as completed: teleported (8)" in page
    assert "LOOK  products: 14.29 % of the rows are rejected" in page
    assert "churn_probability" in page
    assert "9 of 9 models are learned" in page
    assert "not known" not in page
    assert page.endswith("Nothing is red.\n")


def test_what_failed_and_what_is_not_published_is_said(demo, tmp_path):
    """The same test failed in the last build but one, and another has passed since."""
    warehouse = tmp_path / "own.duckdb"
    shutil.copy(demo.path, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("""
            insert into operations.build_results
            select build_results.* replace (
                'later' as invocation_id,
                started_at + interval 1 hour as started_at,
                if(is_it, 'fail', status) as status,
                if(is_it, 3, failure_count) as failure_count
            )
            from operations.build_results, (
                select 'every_row_and_every_cent_is_reconciled'
            ) as test (test_name), lateral (select node_name = test_name) as _ (is_it)
        """)
        connection.execute("""
            update fct_reconciliation set is_reconciled = false, difference = 1.5
            where input_name = 'orders' and identity_name like 'raw money%'
        """)
        connection.execute(
            "update fct_input_health set is_late = input_name = 'events'"
        )
        connection.execute("update fct_score_drift set drift = 'large'")
    with duckdb.connect(str(tmp_path / "customer_lifetime.duckdb")) as connection:
        connection.execute("""
            create table publication as select
                7 as version,
                date '2025-12-30' as as_of_date,
                timestamp '2026-01-02 03:04:05' as published_at,
                'another' as invocation_id
        """)
    code, page = status(warehouse, published=tmp_path)
    assert code == 1
    assert "published: version 7, as of 2025-12-30, 2026-01-02 03:04 UTC" in page
    assert "LOOK  what is published is not what was built last" in page
    assert "tests passed, 1 failed, 0 skipped" in page
    assert (
        "every_row_and_every_cent_is_reconciled  fct_reconciliation  3  passed before"
        in page
    )
    assert "RED   rows or money were lost on the way" in page
    assert "LOOK  events is late: nothing since 2025-12-31" in page
    assert "LOOK  a large change: churn_probability, days_since_last_purchase" in page
    assert page.endswith("RED: see above.\n")


def test_what_cannot_be_read_is_said_with_what_to_do(demo, tmp_path):
    code, said = status(tmp_path / "none.duckdb")
    assert code == 2
    assert "Build it first (`make build`)" in said

    (tmp_path / "text.duckdb").write_text("no database" * 1000)
    code, said = status(tmp_path / "text.duckdb")
    assert code == 2
    assert "is no warehouse that can be read" in said

    with duckdb.connect(str(tmp_path / "held.duckdb")):
        code, said = status(tmp_path / "held.duckdb")
    assert code == 2
    assert "Another process holds" in said

    code, said = status(tmp_path / "held.duckdb")
    assert code == 0
    assert "not known: operations.build_results is not there" in said
    assert "not known: main.fct_input_health is not there" in said
