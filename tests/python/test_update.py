"""`make update`: which build it takes, and what it says has changed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import published
import pytest
from conftest import DEMO, REPOSITORY
from status import Page
from update import findings, summary, update

DAILY = ["--selector", "daily", "--exclude-resource-type", "unit_test"]
WHOLE = ["--exclude-resource-type", "unit_test"]
# customer: stage, residual value; None has bought nothing
FIRST = {
    "a": ("activated", 10.0),
    "b": ("activated", 20.5),
    "c": ("at_risk", 4.0),
    "d": ("churned", 1.0),
    "e": ("acquired", None),
}
# b falls silent, c is lost, d comes back, e buys at last, f is new
SECOND = {
    "a": ("activated", 12.0),
    "b": ("at_risk", 8.25),
    "c": ("churned", 0.5),
    "d": ("won_back", 30.0),
    "e": ("activated", 5.0),
    "f": ("activated", 6.0),
}


def publish(folder: Path, day: str, customers: dict, orders: list, rejected: dict):
    """Publish a version of the tables that are compared, made by hand."""
    version = max(published.versions(folder), default=0) + 1
    new = folder.parent / f"new_{version}.duckdb"
    with duckdb.connect(str(new)) as connection:
        for table in (
            "publication (version int, as_of_date date, published_at timestamp)",
            "fct_orders (order_state text, revenue_amount decimal(18, 4))",
            "fct_customer_value (customer_id text, residual_value_amount float)",
            "fct_customer_lifecycle (customer_id text, stage text)",
            "fct_audience_members (customer_id text, is_contacted boolean)",
            "fct_input_health (input_name text, quarantined_row_count bigint)",
        ):
            connection.execute(f"create table {table}")

        def insert(table: str, rows: list[tuple]) -> None:
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"insert into {table} values ({marks})", row)

        insert("publication", [(version, day, f"{day} 06:07:08")])
        insert("fct_orders", orders)
        insert("fct_customer_lifecycle", [(k, v[0]) for k, v in customers.items()])
        insert("fct_input_health", list(rejected.items()))
        bought = [(k, v[1]) for k, v in customers.items() if v[1] is not None]
        insert("fct_customer_value", bought)
        insert("fct_audience_members", [(k, k in "ab") for k in customers])
    with published.locked(folder):
        published.add_version(folder, version, new)


def publish_first(folder: Path) -> None:
    orders = [("completed", 100), ("completed", 50), ("cancelled", 0)]
    publish(folder, "2026-01-01", FIRST, orders, {"orders": 3, "events": 7})


def publish_second(folder: Path) -> None:
    orders = [("completed", 100), ("completed", 51.5), ("completed", 25)]
    publish(folder, "2026-01-02", SECOND, orders, {"orders": 5, "surveys": 2})


def compared(folder: Path, earlier: int | None, later: int) -> str:
    """The page of two versions, blanks between words made one."""
    with duckdb.connect() as connection:
        for name, version in (("earlier", earlier), ("later", later)):
            if version:
                path = published.versions(folder)[version]
                connection.execute(f"attach '{path}' as {name} (read_only)")
        return words("\n".join(summary(connection).lines))


def words(page: str) -> str:
    return "\n".join(" ".join(line.split()) for line in page.splitlines())


def test_the_summary_compares_two_versions(tmp_path):
    publish_first(tmp_path)
    publish_second(tmp_path)
    page = compared(tmp_path, 1, 2)
    for line in (
        "now served: version 2 (as of 2026-01-02, published 2026-01-02 06:07 UTC)",
        "before that: version 1 (as of 2026-01-01, published 2026-01-01 06:07 UTC)",
        "orders 2 -> 3 +1",
        "revenue 150.00 -> 176.50 +26.50",
        "customers who have bought 4 -> 6 +2",
        # 10 + 20.5 + 4 + 1, and 12 + 8.25 + 0.5 + 30 + 5 + 6
        "what they will still bring 35.50 -> 61.75 +26.25",
        "customers at risk 1 -> 1",
        "value at stake with them 4.00 -> 8.25 +4.25",
        "customers to contact 2 -> 2",
        "rejected rows 10 -> 7 -3",
        "new 2 11.00",
        "at risk now 1 8.25",
        "lost 1 0.50",
        "won back 1 30.00",
        # an input that came, one that went, one that changed
        "rejected rows, more or fewer:\nevents -7\norders +2\nsurveys +2",
    ):
        assert line in page, line


def test_a_version_that_is_like_the_last_says_so(tmp_path):
    publish_first(tmp_path)
    publish_first(tmp_path)
    page = compared(tmp_path, 1, 2)
    assert "no number below has changed" in page
    assert "orders 2 -> 2\n" in page and "new 0 0.00" in page
    assert "more or fewer" not in page


def test_the_first_version_is_compared_with_nothing(tmp_path):
    publish_first(tmp_path)
    page = compared(tmp_path, None, 1)
    assert "there is no version before that to compare with" in page
    assert "orders 2\nrevenue 150.00\n" in page


def test_what_an_older_version_has_not_is_left_blank(tmp_path):
    """One of before a table was added to the project, and one without a column."""
    publish_first(tmp_path)
    publish_second(tmp_path)
    old = published.versions(tmp_path)[1]
    old.chmod(0o644)
    with duckdb.connect(str(old)) as connection:
        connection.execute("drop table fct_customer_lifecycle")
        connection.execute("alter table fct_orders drop column revenue_amount")
    page = compared(tmp_path, 1, 2)
    assert "revenue -> 176.50\n" in page
    assert "customers at risk -> 1\n" in page
    assert "orders 2 -> 3 +1" in page
    assert "new 2 11.00" in page and "won back" not in page


def test_findings_are_what_is_marked_and_what_to_do_about_it():
    page = Page(["", "ok    fine", "      a", "LOOK  late", "      -> ask", "      b"])
    assert findings(page) == ["LOOK  late", "      -> ask"]


class Standin:
    """dbt, as far as `update` knows it: what it is asked, and what it publishes."""

    def __init__(self, folder: Path, publishes=publish_second, code=0, report=None):
        self.folder, self.publishes, self.code = folder, publishes, code
        self.report = report or {"status": "pass"}
        self.asked = []

    def __call__(self, *arguments: str, **_) -> subprocess.CompletedProcess:
        self.asked.append(list(arguments))
        if arguments[0] == "build":
            if self.publishes:
                self.publishes(self.folder)
        elif self.report.get("status"):
            age = {
                "max_loaded_at": "2026-01-02T09:00:00+00:00",
                "max_loaded_at_time_ago_in_s": 3.9 * 86400,
            }
            report = Path(arguments[arguments.index("--output") + 1])
            report.write_text(json.dumps({"results": [age | self.report]}))
        return subprocess.CompletedProcess(arguments, self.code, "dbt's words", "")


@pytest.fixture
def warehouse(tmp_path, monkeypatch) -> Path:
    """A warehouse that no build has made; what is published of it stands beside it."""
    monkeypatch.delenv("CLV_PUBLISHED", raising=False)
    return tmp_path / "own.duckdb"


def test_the_whole_is_built_until_something_is_published(warehouse, capsys):
    folder = published.published_folder(warehouse)
    duckdb.connect(str(warehouse)).close()
    dbt = Standin(folder, publish_first)
    assert update(warehouse, ["--vars", "{}"], dbt) == 0
    assert dbt.asked[0][:4] == ["source", "freshness", "--select", "source:shop.orders"]
    assert dbt.asked[0][-2:] == ["--vars", "{}"]
    assert dbt.asked[1] == ["build", *WHOLE, "--vars", "{}"]
    said = capsys.readouterr().out
    assert "ok    orders: the last one is of 2026-01-02, 3 days ago" in said
    assert "now served:  version 1 (as of 2026-01-01" in said
    # of a warehouse without tables, make status says
    assert "LOOK  not known: main.fct_input_health is not there" in said

    dbt = Standin(folder)
    assert update(warehouse, [], dbt) == 0
    assert dbt.asked[1] == ["build", *DAILY]
    assert "before that: version 1" in capsys.readouterr().out

    warehouse.unlink()
    dbt = Standin(folder, code=2, publishes=None)
    update(warehouse, [], dbt)
    assert dbt.asked[1] == ["build", *WHOLE]


def test_a_build_that_fails_publishes_nothing_and_that_is_said(warehouse, capsys):
    folder = published.published_folder(warehouse)
    dbt = Standin(folder, publishes=None, code=1)
    assert update(warehouse, [], dbt) == 1
    said = capsys.readouterr().out
    assert "nothing has been published before, so that nothing is served" in said
    assert "RED   dbt ended with exit code 1" in said

    publish_first(folder)
    assert update(warehouse, [], dbt) == 1
    assert "version 1 (as of 2026-01-01" in capsys.readouterr().out

    assert update(warehouse, [], Standin(folder, publishes=None)) == 0
    said = capsys.readouterr().out
    assert "the build passed, but was none that is published" in said


def test_inputs_that_cannot_be_read_stop_it_before_the_build(warehouse, capsys):
    dbt = Standin(published.published_folder(warehouse), report={"status": None})
    assert update(warehouse, [], dbt) == 1
    assert len(dbt.asked) == 1
    said = capsys.readouterr().out
    assert "dbt's words" in said and "Nothing was published" in said


def test_old_orders_stop_nothing_by_themselves(warehouse, capsys):
    folder = published.published_folder(warehouse)
    duckdb.connect(str(warehouse)).close()
    dbt = Standin(folder, report={"status": "error"})
    assert update(warehouse, [], dbt) == 0
    assert "LOOK  orders: the last one is of 2026-01-02" in capsys.readouterr().out


def test_the_version_before_is_compared_though_it_is_no_longer_kept(warehouse, capsys):
    """Who went back to the oldest that is kept, and then updates."""
    folder = published.published_folder(warehouse)
    duckdb.connect(str(warehouse)).close()
    for _ in range(published.KEPT):
        publish_first(folder)
    published.rollback(folder, 1)
    assert update(warehouse, [], Standin(folder)) == 0
    assert 1 not in published.versions(folder)
    said = words(capsys.readouterr().out)
    assert "before that: version 1" in said and "orders 2 -> 3 +1" in said


@pytest.mark.bi
def test_a_new_day_of_the_demo_shop(demo, demo_bench, tmp_path):
    """The command itself, on a copy of the demo shop to which a day is added."""
    inputs = tmp_path / "inputs"
    shutil.copytree(DEMO, inputs)
    with (inputs / "orders.csv").open("a") as orders:
        for order, customer, amount in (
            ("O90001", "C0005", "99.00"),
            ("O90002", "NEW1", "55.00"),
            ("O90003", "NEW2", "none"),
        ):
            day = "2026-01-01 10:00:00"
            orders.write(
                f"{order},{customer},{day},{amount},completed,0,0,3,EUR,web,\n"
            )
    before = published.publication(demo.published / published.SERVED)["version"]
    run = subprocess.run(
        [sys.executable, "scripts/update.py"],
        cwd=REPOSITORY,
        env=demo_bench | {"CLV_INPUT": str(inputs)},
        capture_output=True,
        text=True,
    )
    said = words(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "LOOK orders: the last one is of 2026-01-01" in said
    assert f"now served: version {before + 1} (as of 2026-01-01" in said
    assert f"before that: version {before} (as of 2025-12-31" in said
    assert " +154.00\n" in said  # revenue: 99 + 55
    assert "\nnew 1 " in said
    assert "rejected rows, more or fewer:\norders +1" in said
    assert "LOOK products: 14.29 % of the rows are rejected" in said
