"""What to run every day: are there new orders, build, publish, and say what changed.

    .venv/bin/python scripts/update.py [options that every dbt command takes]

The build is the daily one (`--selector daily`), or the whole where the warehouse or its
published file is not there yet. At its end dbt publishes, if everything has passed.
The options (`--vars`, `--threads`) go to dbt. Ends with dbt's exit code: where it is
not 0, nothing was published.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from published import (
    DEFAULT_WAREHOUSE,
    SERVED,
    described,
    in_words,
    published_folder,
    served_version,
    text,
    versions,
)
from status import Page, status

# Numbers of one version. What a version has no table or column for is left blank.
MEASURES = {
    "orders": "select count(*) from fct_orders where order_state = 'completed'",
    "revenue": "select sum(revenue_amount)::double from fct_orders",
    "customers who have bought": "select count(*) from fct_customer_value",
    "what they will still bring": (
        "select sum(residual_value_amount)::double from fct_customer_value"
    ),
    "customers at risk": (
        "select count(*) from fct_customer_lifecycle where stage = 'at_risk'"
    ),
    "value at stake with them": (
        "select sum(residual_value_amount)::double from fct_customer_lifecycle"
        " left join fct_customer_value using (customer_id) where stage = 'at_risk'"
    ),
    "customers to contact": (
        "select count(*) filter (is_contacted) from fct_audience_members"
    ),
    "rejected rows": (
        "select sum(quarantined_row_count)::bigint from fct_input_health"
    ),
}
# The customers of whom it is true in the later version and was not in the earlier.
MOVES = {
    "new": "select customer_id from {version}.fct_customer_value",
    "at risk now": (
        "select customer_id from {version}.fct_customer_lifecycle"
        " where stage = 'at_risk'"
    ),
    "lost": (
        "select customer_id from {version}.fct_customer_lifecycle"
        " where stage = 'churned'"
    ),
    "won back": (
        "select customer_id from {version}.fct_customer_lifecycle"
        " where stage = 'won_back'"
    ),
}
Dbt = Callable[..., subprocess.CompletedProcess]


def dbt(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run dbt, of the environment that this script runs in."""
    command = [Path(sys.executable).with_name("dbt"), *arguments]
    return subprocess.run(command, text=True, **options)


def asked(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple | None:
    """Return the first row; None where a version has not what is asked for."""
    try:
        return connection.execute(sql).fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return None


def said_of(connection: duckdb.DuckDBPyConnection, version: str) -> dict:
    """Return what an attached version says of itself."""
    names = "version", "as_of_date", "published_at"
    sql = f"select {', '.join(names)} from {version}.publication"
    return dict(zip(names, connection.execute(sql).fetchone(), strict=True))


def measured(connection: duckdb.DuckDBPyConnection, version: str) -> dict:
    """Return the measures of an attached version."""
    connection.execute(f"use {version}")
    found = {name: asked(connection, sql) for name, sql in MEASURES.items()}
    connection.execute("use memory")
    return {name: row[0] if row else None for name, row in found.items()}


def difference(before: float | None, after: float | None) -> str:
    """Say by how much a number has changed; nothing where it has not."""
    if before is None or after is None or before == after:
        return ""
    change = after - before
    return f"{change:+,.2f}" if isinstance(change, float) else f"{change:+,}"


def tell_changes(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say what changed from the attached version `earlier` to `later`."""
    before, after = measured(connection, "earlier"), measured(connection, "later")
    if before == after:
        page.say("no number below has changed")
    page.rows(
        [
            (name, before[name], "->", after[name], difference(before[name], value))
            for name, value in after.items()
        ],
        most=len(MEASURES),
    )
    moved = []
    for name, customers in MOVES.items():
        row = asked(
            connection,
            "select count(*), coalesce(sum(residual_value_amount), 0)::double from ("
            + customers.format(version="later")
            + " except "
            + customers.format(version="earlier")
            + ") left join later.fct_customer_value using (customer_id)",
        )
        if row:
            moved.append((name, *row))
    page.say("customers who moved, and what they will still bring:")
    page.rows(moved, most=len(MOVES))
    rejected = """
        select
            input_name,
            coalesce(now.quarantined_row_count, 0)
            - coalesce(past.quarantined_row_count, 0) as change
        from later.fct_input_health as now
        full join earlier.fct_input_health as past using (input_name)
        where change != 0
        order by input_name
    """
    if asked(connection, rejected):
        page.say("rejected rows, more or fewer:")
        inputs = connection.execute(rejected).fetchall()
        page.rows([(name, f"{change:+,}") for name, change in inputs], most=10)


def summary(connection: duckdb.DuckDBPyConnection) -> Page:
    """Return the page of the attached version `later`, compared with `earlier`.

    Where no version is attached as `earlier`, it says only what is.
    """
    page = Page()
    page.title("What changed")
    page.say(f"now served:  {in_words(said_of(connection, 'later'))}")
    names = connection.execute("select database_name from duckdb_databases()")
    if ("earlier",) in names.fetchall():
        page.say(f"before that: {in_words(said_of(connection, 'earlier'))}")
        tell_changes(page, connection)
    else:
        page.say("there is no version before that to compare with")
        page.rows(list(measured(connection, "later").items()), most=len(MEASURES))
    return page


def attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach a published file to read."""
    connection.execute(f"attach {text(path)} as {name} (read_only)")


def findings(page: Page) -> list[str]:
    """Take the lines from the page of `make status` that a person should see."""
    found, is_found = [], False
    for line in page.lines:
        if not line.startswith("      "):
            is_found = line.startswith(("RED  ", "LOOK  "))
        if is_found and (line[0] != " " or line.strip().startswith("->")):
            found.append(line)
    return found


def tell_age(run: Dbt, options: list[str]) -> Page | None:
    """Say how old the orders are; None where dbt can't even look at them.

    Old orders stop nothing here: the var orders_maximum_age_days does, in the build.
    """
    page = Page()
    page.title("Are there new orders?")
    with TemporaryDirectory() as folder:
        report = Path(folder) / "sources.json"
        select = ("--select", "source:shop.orders", "--output", str(report))
        said = run("source", "freshness", *select, *options, capture_output=True)
        results = json.loads(report.read_text())["results"] if report.exists() else []
    if not results:
        print(said.stdout + said.stderr)
        return None
    [orders] = results
    if "max_loaded_at" not in orders:
        page.say("orders: how old they are is not known", "LOOK", orders["error"])
        return page
    last = orders["max_loaded_at"][:10]
    days = int(orders["max_loaded_at_time_ago_in_s"] // 86400)
    line = f"orders: the last one is of {last}, {days:,} days ago"
    if orders["status"] == "pass":
        page.say(line, "ok")
    else:
        page.say(
            line,
            "LOOK",
            "ask whoever delivers them; the var orders_maximum_age_days lets them stop"
            " the build",
        )
    return page


def update(warehouse: Path, options: list[str], run: Dbt = dbt) -> int:
    """Build and publish, and print what changed; return the exit code.

    Parameters
    ----------
    warehouse : Path
        Its file.
    options : list of str
        What dbt gets with every command.
    run : callable
        Runs dbt with the arguments given.
    """
    folder = published_folder(warehouse)
    before = served_version(folder)
    page = tell_age(run, options)
    if page is None:
        return stopped(folder, code=1)
    print("\n".join(page.lines), flush=True)
    is_whole = before is None or not warehouse.exists()
    page = Page()
    page.title("The whole build" if is_whole else "The daily build")
    print("\n".join(page.lines), flush=True)
    selection = [] if is_whole else ["--selector", "daily"]
    tests = ["--exclude-resource-type", "unit_test"]
    with duckdb.connect() as connection:
        # open before the build: the oldest version that is kept goes with the next
        if before in versions(folder):
            attach(connection, versions(folder)[before], "earlier")
        code = run("build", *selection, *tests, *options).returncode
        now = served_version(folder)
        if code or now == before:
            return stopped(folder, code)
        attach(connection, versions(folder)[now], "later")
        page = summary(connection)
    page.title("What to look at")
    page.lines += findings(status(warehouse)) or ["ok    nothing"]
    page.lines += ["", "`make status` says more."]
    print("\n".join(page.lines))
    return 0


def stopped(folder: Path, code: int) -> int:
    """Say that nothing was published, and what is served; return the exit code."""
    page = Page()
    page.title("Nothing was published")
    served = folder / SERVED
    if served.exists():
        page.say(f"{described(served)} stays served")
    else:
        page.say("nothing has been published before, so that nothing is served")
    if code:
        page.say(
            f"dbt ended with exit code {code}",
            "RED",
            "it said above why, and says so in logs/dbt.log; then run this again",
        )
    else:
        page.say("the build passed, but was none that is published", "LOOK")
    print("\n".join(page.lines))
    return code


if __name__ == "__main__":
    if os.environ.get("CLV_PUBLISHED") == "":
        raise SystemExit(
            "CLV_PUBLISHED is empty, so nothing is published and there is nothing to"
            " compare. Run `dbt build --selector daily` instead, or name a folder."
        )
    named = Path(os.environ.get("CLV_WAREHOUSE", DEFAULT_WAREHOUSE))
    raise SystemExit(update(named, sys.argv[1:]))
