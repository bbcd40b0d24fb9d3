"""Build the demo shop on DuckLake and hold it against DuckDB.

    make test-ducklake

In a temporary folder, with a PostgreSQL server of its own on 127.0.0.1:

1. yesterday's shop is built on both engines, and every public mart is compared;
2. today's is built over it. At the same time two more processes write to the lake, and
   three read from it: within a transaction they must see one state of it, of each mart
   only the one before or the one after, and at the published snapshot nothing new;
3. every public mart is compared again, and nothing that was written may be missing.

Ends with 1 and says what differs if anything does. Which shops: engines/demo_shop.py.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "engines"))

from compare_marts import compare_all, of_catalogue, public_marts  # noqa: E402
from demo_shop import DEMO, yesterdays_shop  # noqa: E402
from postgresql_server import postgresql  # noqa: E402

DBT = Path(sys.executable).with_name("dbt")
EXTENSIONS = Path(sys.prefix) / "duckdb_extensions"
# no tests: what they say of rows that are the same is the same
BUILD = ("build", "--warn-error", "--resource-type", "model", "--resource-type", "seed")
# Built by the month, or anew; the ledger is not among them: it changes once more at the
# end of a build, when the audiences have been written.
WATCHED = (
    "fct_orders",
    "fct_customer_months",
    "dim_customers",
    "fct_customer_value",
    "fct_monthly_movement",
)
APPENDERS, READERS, ROWS_A_BATCH = 2, 3, 100


# -- The lake and its users -------------------------------------------------------


@dataclass(frozen=True)
class Lake:
    """Where a lake lies."""

    catalogue: str
    data: Path

    def connect(self, options: str = "") -> duckdb.DuckDBPyConnection:
        """Open the lake, as every user of it does."""
        connection = duckdb.connect(config={"extension_directory": str(EXTENSIONS)})
        connection.execute(
            f"attach 'ducklake:postgres:{self.catalogue}' as lake"
            f" (data_path '{self.data}', metadata_schema 'ducklake'{options})"
        )
        connection.execute("use lake")
        connection.execute("set enable_progress_bar = false")
        return connection


def picture(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Take the rows and a fingerprint of each watched mart."""
    return {
        mart: str(
            connection.execute(
                f"select count(*), sum(hash(mart)) from lake.main.{mart} as mart"
            ).fetchall()
        )
        for mart in WATCHED
    }


def append(lake: Lake, name: str, stop, results) -> None:
    """Append batches, each in a transaction over two tables, until told to stop."""
    connection = lake.connect()
    batches = conflicts = 0
    while not stop.is_set():
        try:
            connection.execute("begin")
            connection.execute(
                "insert into landing.batches values (?, ?, ?)",
                [name, batches, ROWS_A_BATCH],
            )
            connection.execute(
                "insert into landing.rows select ?, ?, range from range(?)",
                [name, batches, ROWS_A_BATCH],
            )
            connection.execute("commit")
            batches += 1
        except duckdb.TransactionException:
            conflicts += 1
            # a failed commit has ended it already
            with suppress(duckdb.TransactionException):
                connection.execute("rollback")
        time.sleep(0.5)
    results.put((name, {"batches": batches, "conflicts": conflicts}))


def read(lake: Lake, name: str, published: int, stop, results) -> None:
    """Look at the lake until told to stop, then once more; report all that was seen."""
    now = lake.connect()
    then = lake.connect(f", snapshot_version {published}")
    seen: dict[str, set] = {mart: set() for mart in WATCHED}
    pinned: set[str] = set()
    problems: set[str] = set()
    readings = 0
    last = False
    while not last:
        last = stop.is_set()
        now.execute("begin")
        first = picture(now)
        landed = now.execute(
            "select (select coalesce(sum(row_count), 0) from landing.batches),"
            " (select count(*) from landing.rows)"
        ).fetchall()[0]
        if landed[0] != landed[1]:
            problems.add(f"{landed[0]} rows announced, {landed[1]} there")
        if picture(now) != first:
            problems.add("a mart changed within a transaction")
        now.execute("commit")
        for mart, found in first.items():
            seen[mart].add(found)
        pinned.add(str(picture(then)))
        readings += 1
    results.put(
        (
            name,
            {
                "readings": readings,
                "seen": seen,
                "last": first,
                "pinned": pinned,
                "problems": problems,
            },
        )
    )


@contextmanager
def users(lake: Lake, published: int, reports: dict) -> Iterator[None]:
    """Let others write and read while the body runs; collect what they report."""
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    processes = [
        context.Process(target=append, args=(lake, f"writer {i}", stop, results))
        for i in range(APPENDERS)
    ] + [
        context.Process(
            target=read, args=(lake, f"reader {i}", published, stop, results)
        )
        for i in range(READERS)
    ]
    for process in processes:
        process.start()
    try:
        yield
        stop.set()
        for _ in processes:
            name, report = results.get(timeout=300)
            reports[name] = report
    finally:
        stop.set()
        for process in processes:
            process.join(10)
            process.kill()


# -- Shops and builds -------------------------------------------------------------


def build(target: str, inputs: Path, work: Path, lake: Lake) -> float:
    """Build on an engine; return the seconds it took."""
    exports = work / f"exports_{target}"
    exports.mkdir(exist_ok=True)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLV_", "DBT_"))
    } | {
        "CLV_INPUT": str(inputs),
        "CLV_EXPORTS": str(exports),
        "CLV_WAREHOUSE": str(work / "customer_lifetime.duckdb"),
        "CLV_TEMP_DIRECTORY": str(work / f"spilled_{target}"),
        "CLV_LAKE_CATALOGUE": lake.catalogue,
        "CLV_LAKE_DATA": str(lake.data),
        "CLV_EXTENSIONS": str(EXTENSIONS),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
    }
    folders = ["--target-path", str(work / f"target_{target}")]
    folders += ["--log-path", str(work / f"logs_{target}")]

    def dbt(*command: str) -> None:
        said = subprocess.run(
            [str(DBT), "--no-use-colors", *command, "--target", target, *folders],
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            # dbt says why a hook failed in its log only
            log = (work / f"logs_{target}" / "dbt.log").read_text().splitlines()
            errors = [line for line in log if "Error" in line]
            raise SystemExit(
                "\n".join(
                    [said.stdout[-4000:], *errors[:10], f"dbt failed on {target}"]
                )
            )

    dbt("parse")  # so that only building is measured
    start = time.perf_counter()
    dbt(*BUILD)
    seconds = time.perf_counter() - start
    print(f"{inputs.name}: built on {target} in {seconds:.0f} s", flush=True)
    return seconds


def same_marts(work: Path, lake: Lake) -> bool:
    """Compare every public mart of the lake with the one of the DuckDB file."""
    connection = lake.connect(", read_only")
    file = work / "customer_lifetime.duckdb"
    connection.execute(f"attach '{file}' as duckdb_build (read_only)")
    same = compare_all(
        connection,
        public_marts(work / "target_duckdb" / "manifest.json"),
        of_catalogue("duckdb_build.main"),
        of_catalogue("lake.main"),
    )
    connection.close()
    return same


# -- What must hold ---------------------------------------------------------------


def faults(reports: dict, before: dict, after: dict, lake: Lake) -> list[str]:
    """Say what the users of the lake should not have seen, and what is missing."""
    found = []
    for name, report in reports.items():
        if name.startswith("reader"):
            found += [f"{name}: {problem}" for problem in report["problems"]]
            found += [
                f"{name}: {mart} was neither as before nor as after the build"
                for mart in WATCHED
                if report["seen"][mart] - {before[mart], after[mart]}
            ]
            if report["last"] != after:
                found.append(f"{name}: did not see the new build")
            if report["pinned"] != {str(before)}:
                found.append(f"{name}: the published snapshot changed")
            if report["readings"] < 3:
                found.append(f"{name}: read {report['readings']} times only")
        else:
            batches = report["batches"]
            landed = lake.connect().execute(
                "select count(distinct batch), count(*),"
                " (select count(*) from landing.rows where writer = $1)"
                " from landing.batches where writer = $1",
                [name],
            )
            if landed.fetchall() != [(batches, batches, batches * ROWS_A_BATCH)]:
                found.append(f"{name}: not all of its {batches} batches are there once")
            if batches < 3:
                found.append(f"{name}: wrote {batches} batches only")
    return found


def main() -> int:
    """Run all of it; return 1 if anything is not as it should be."""
    if not EXTENSIONS.is_dir():
        raise SystemExit(f"There is no {EXTENSIONS}. Run `make ducklake` first.")
    # so that the server and the folders go, too, when this is asked to end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with (
        tempfile.TemporaryDirectory(prefix="ducklake_") as folder,
        postgresql() as catalogue,
    ):
        work = Path(folder)
        lake = Lake(catalogue, work / "lake")
        yesterday = yesterdays_shop(work / "yesterday")
        seconds = {
            target: build(target, yesterday, work, lake)
            for target in ("duckdb", "ducklake")
        }
        same = same_marts(work, lake)

        shop = lake.connect()
        shop.execute("create schema landing")
        shop.execute(
            "create table landing.batches (writer varchar, batch int, row_count int)"
        )
        shop.execute("create table landing.rows (writer varchar, batch int, n int)")
        published = shop.execute(
            "select max(snapshot_id) from ducklake_snapshots('lake')"
        ).fetchall()[0][0]
        before = picture(shop)
        shop.close()

        second_seconds = {"duckdb": build("duckdb", DEMO, work, lake)}
        reports: dict[str, dict] = {}
        with users(lake, published, reports):
            second_seconds["ducklake"] = build("ducklake", DEMO, work, lake)
        same = same_marts(work, lake) and same
        shop = lake.connect()
        found = faults(reports, before, picture(shop), lake)
        shop.close()

    for name, report in sorted(reports.items()):
        told = ("batches", "conflicts", "readings")
        print(
            name, *(f"{report[key]} {key}" for key in told if key in report), sep=", "
        )
    for what, timed in (
        ("full build", seconds),
        ("second build, with five others at the lake", second_seconds),
    ):
        print(
            f"{what}: DuckDB {timed['duckdb']:.0f} s, DuckLake"
            f" {timed['ducklake']:.0f} s,"
            f" {timed['ducklake'] / timed['duckdb']:.1f} times as long"
        )
    for fault in found:
        print(fault)
    return 0 if same and not found else 1


if __name__ == "__main__":
    sys.exit(main())
