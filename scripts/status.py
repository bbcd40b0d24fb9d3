"""Say on one page whether the numbers can be trusted today.

    .venv/bin/python scripts/status.py [warehouse]

Reads the warehouse (CLV_WAREHOUSE by default) and what is published of it, and changes
nothing. A line is marked RED where something failed or was lost, LOOK where a person
should see for themselves; below it stands what to do. Ends with exit code 1 if anything
is RED, with 2 if the warehouse could not be read, else with 0.
"""

import argparse
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from published import DEFAULT_WAREHOUSE, SERVED, published_folder

# A share of rejected rows that a person should see.
MANY_REJECTED = 0.05


@dataclass
class Page:
    """The lines of the page, and whether any of them is red."""

    lines: list[str] = field(default_factory=list)
    is_red: bool = False

    def title(self, text: str) -> None:
        """Begin a part."""
        self.lines += ["", text, "-" * len(text)]

    def say(self, text: str, mark: str = "", do: str = "") -> None:
        """Add a line; RED and LOOK say what to do about it."""
        self.lines.append(f"{mark:4}  {text}")
        if do:
            self.lines.append(f"      -> {do}")
        self.is_red |= mark == "RED"

    def rows(self, rows: list[tuple], most: int = 5) -> None:
        """Add rows as aligned columns, numbers to the right."""
        shown = [[cell(value) for value in row] for row in rows[:most]]
        if not shown:
            return
        widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
        for row, values in zip(shown, rows, strict=False):
            texts = [
                text.rjust(width)
                if isinstance(value, int | float)
                else text.ljust(width)
                for text, width, value in zip(row, widths, values, strict=True)
            ]
            self.lines.append("      " + "  ".join(texts).rstrip())
        if len(rows) > most:
            self.lines.append(f"      and {len(rows) - most} more")


def cell(value: object) -> str:
    """Write a value as people do."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def ago(moment: datetime) -> str:
    """Say how long ago something happened, by the machine's clock."""
    hours = (datetime.now(UTC).replace(tzinfo=None) - moment).total_seconds() / 3600
    if hours < 48:
        return f"{max(hours, 0):.0f} hours ago"
    return f"{hours / 24:.0f} days ago"


def opened(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a file to read; exit with code 2 and a reason where that fails."""
    if not path.exists():
        print(
            f"There is no warehouse {path}. Build it first (`make build`), or name"
            " another: CLV_WAREHOUSE, or the argument of this command.",
            file=sys.stderr,
        )
        raise SystemExit(2)
    try:
        return duckdb.connect(str(path), read_only=True)
    except duckdb.Error as error:
        if "lock" in str(error):
            why = (
                f"Another process holds {path}, a build perhaps. Try again when it has"
                " ended; what is published can be read all the same"
                f" ({published_folder(path) / SERVED})."
            )
        else:
            why = f"{path} is no warehouse that can be read: {error}"
        print(why, file=sys.stderr)
        raise SystemExit(2) from None


def tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of all tables."""
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
    )
    return {name for (name,) in found.fetchall()}


def tell_publication(page: Page, warehouse: Path, last_built: str | None) -> None:
    """Say when it was published, and whether that is what was built last."""
    path = published_folder(warehouse) / SERVED
    if not path.exists():
        page.say(f"not published ({path} is not there)")
        return
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            version, as_of_date, published_at, invocation_id = connection.execute(
                "select version, as_of_date, published_at, invocation_id"
                " from publication"
            ).fetchone()
    except duckdb.Error as error:
        page.say(f"{path} cannot be read: {error}", "RED", "`dbt build` publishes anew")
        return
    page.say(
        f"published: version {version}, as of {as_of_date},"
        f" {published_at:%Y-%m-%d %H:%M} UTC ({ago(published_at)})"
    )
    if last_built and invocation_id != last_built:
        page.say(
            "what is published is not what was built last",
            "LOOK",
            "a build publishes if all of it has passed; see below for what has not",
        )


def tell_build(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say what became of the tables and tests of the last build, and what changed."""
    builds = connection.execute("""
        select
            invocation_id,
            started_at,
            command,
            selection,
            count(*) filter (node_type not like '%test' and status = 'success'),
            count(*) filter (node_type like '%test' and status in ('pass', 'warn')),
            count(*) filter (status in ('error', 'fail', 'partial success')),
            count(*) filter (status = 'skipped'),
            sum(seconds)
        from operations.build_results
        group by all
        order by started_at desc
        limit 2
    """).fetchall()
    last = builds[0]
    page.say(
        f"dbt {last[2]} of {last[3]}, {last[1]:%Y-%m-%d %H:%M} UTC ({ago(last[1])})"
    )
    if datetime.now(UTC).replace(tzinfo=None) - last[1] > timedelta(days=2):
        page.say(
            "nothing was built for two days",
            "LOOK",
            "`dbt build`; one that a threshold stops at its start leaves no trace here",
        )
    counts = f"{last[4]:,} tables built, {last[5]:,} tests passed"
    if last[6] or last[7]:
        page.say(
            f"{counts}, {last[6]:,} failed, {last[7]:,} skipped for it",
            "RED",
            "logs/dbt.log has the messages; `dbt retry` builds what is missing",
        )
    else:
        page.say(f"{counts}, nothing failed", "ok")
    before = builds[1][0] if len(builds) > 1 else None
    failed = connection.execute(
        """
        select
            last.node_name,
            last.tested_model,
            last.failure_count,
            case
                when before.status in ('error', 'fail', 'partial success')
                    then 'failed before too'
                when before.status is not null then 'passed before'
            end
        from operations.build_results as last
        left join operations.build_results as before
            on before.invocation_id = ?
            and before.node_type = last.node_type
            and before.node_name = last.node_name
            and before.tested_model is not distinct from last.tested_model
        where
            last.invocation_id = ?
            and last.status in ('error', 'fail', 'partial success')
        order by all
        """,
        [before, last[0]],
    ).fetchall()
    page.rows(failed, most=20)
    mended = connection.execute(
        """
        select before.node_name
        from operations.build_results as before
        inner join operations.build_results as last
            using (node_type, node_name)
        where
            before.invocation_id = ? and last.invocation_id = ?
            and before.tested_model is not distinct from last.tested_model
            and before.status in ('error', 'fail', 'partial success')
            and last.status in ('success', 'pass')
        order by all
        """,
        [before, last[0]],
    ).fetchall()
    if mended:
        page.say("failed in the build before, and passed now:")
        page.rows(mended, most=20)
    slowest = connection.execute(
        """
        select node_name, seconds::decimal(12, 1)
        from operations.build_results
        where invocation_id = ?
        order by seconds desc
        limit 3
        """,
        [last[0]],
    ).fetchall()
    page.say(
        "slowest: " + ", ".join(f"{name} {seconds} s" for name, seconds in slowest)
    )


def tell_inputs(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say whether an input is late or full of errors."""
    inputs = connection.execute("""
        select
            input_name,
            raw_row_count,
            last_date,
            days_behind,
            longest_gap_days,
            quarantined_rate,
            is_late,
            remark
        from fct_input_health
        order by input_name
    """).fetchall()
    delivered = [row for row in inputs if row[1]]
    page.rows(
        [
            (
                row[0],
                row[1],
                "rows",
                "" if row[3] is None else f"last of {row[2]}, {row[3]} days behind",
                f"{100 * row[5]:.2f} % rejected",
            )
            for row in delivered
        ],
        most=10,
    )
    if len(delivered) < len(inputs):
        missing = ", ".join(row[0] for row in inputs if not row[1])
        page.say(f"not delivered: {missing}")
    for name, _, last_date, behind, longest, rejected, is_late, remark in delivered:
        if is_late:
            page.say(
                f"{name} is late: nothing since {last_date}, {behind} days; in the year"
                f" before it was never silent for more than {longest}",
                "LOOK",
                "ask whoever delivers it",
            )
        if rejected > MANY_REJECTED:
            page.say(
                f"{name}: {100 * rejected:.2f} % of the rows are rejected",
                "LOOK",
                f"from fct_rejected_rows where input_name = '{name}'",
            )
        if remark:
            page.say(
                f"{name}: {remark}",
                "LOOK",
                "name them in seeds/reference/order_statuses.csv",
            )


def tell_reasons(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say what is wrong with the rows, and that none is lost."""
    page.rows(
        connection.execute("""
            select
                input_name,
                row_outcome,
                row_count,
                (100 * row_rate)::decimal(5, 2) || ' %',
                rejection_reasons
            from fct_rejection_reasons
            order by row_outcome desc, row_count desc, input_name, rejection_reasons
        """).fetchall(),
        most=8,
    )
    lost = connection.execute("""
        select input_name, identity_name, difference
        from fct_reconciliation
        where not is_reconciled
        order by all
    """).fetchall()
    if lost:
        page.say(
            "rows or money were lost on the way",
            "RED",
            "trust no total of these inputs until fct_reconciliation says otherwise",
        )
        page.rows(lost)
    else:
        page.say("no row and no cent was lost (fct_reconciliation)", "ok")


def tell_volumes(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say whether as much came as usual on the last day that is surely over."""
    volumes = connection.execute("""
        select
            input_name,
            row_date,
            row_count,
            usual_rows,
            row_count_z_score,
            week_row_count,
            usual_week_rows,
            week_row_count_z_score,
            is_unusual
        from fct_input_volumes
        where row_date = (select max(row_date) - 1 from fct_input_volumes)
        order by input_name
    """).fetchall()
    judged = [row for row in volumes if row[8] is not None]
    if not judged:
        page.say("nothing to compare with: at least four weeks must be known")
        return
    unusual = [row for row in judged if row[8]]
    page.say(
        f"{judged[0][1]} and the seven days up to it: {len(judged) - len(unusual)} of"
        f" {len(judged)} inputs as usual",
        "ok" if not unusual else "",
    )
    for name, _, rows, usual, z, week, usual_week, week_z, _ in unusual:
        page.say(
            f"{name}: {rows:,} rows on the day"
            + ("" if usual is None else f" (usually {usual:,.0f})")
            + ("" if z is None else f", z = {z:.1f}")
            + (
                ""
                if week_z is None
                else f"; {week:,} in seven days (usually {usual_week:,.0f}), z ="
                f" {week_z:.1f}"
            ),
            "LOOK",
            f"from fct_input_volumes where input_name = '{name}'",
        )


def tell_drift(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say whether customers still score as they did."""
    drift = connection.execute("""
        select
            score_name,
            drift,
            population_stability_index,
            earlier_mean_score,
            mean_score,
            earlier_cutoff_date
        from fct_score_drift
        where cutoff = 'live'
        order by score_name
    """).fetchall()
    if not drift:
        page.say("nothing to compare with: no scores at two cutoffs")
        return
    page.say(f"population stability index since {drift[0][5]}, mean then and now:")
    page.rows([(*row[:3], row[3], "->", row[4]) for row in drift], most=10)
    large = [row[0] for row in drift if row[1] == "large"]
    if large:
        page.say(
            f"a large change: {', '.join(large)}",
            "LOOK",
            "learn anew (`dbt build`, not `--selector daily`), then read"
            " fct_value_backtest and fct_churn_backtest",
        )


def tell_models(page: Page, connection: duckdb.DuckDBPyConnection) -> None:
    """Say whether everything was learned, and still fits."""
    learned, models = connection.execute("""
        select
            count(distinct learned_model) filter (is_fitted),
            count(distinct learned_model)
        from fct_model_health
    """).fetchone()
    page.say(
        f"{learned} of {models} models are learned", "ok" if learned == models else ""
    )
    reasons = connection.execute("""
        select learned_model, cutoff, any_value(not_learned_reason), count(*)
        from fct_model_health
        where not is_fitted and cutoff = 'live'
        group by all
        order by all
    """).fetchall()
    if reasons:
        page.say(
            "not learned for the live scores, which are NULL where they depend on it:",
            "LOOK",
            "a small shop has too little to learn from; from fct_model_health",
        )
        page.rows([row[:3] for row in reasons], most=10)
    outside = connection.execute("""
        select learned_model, max(outside_rate)
        from fct_model_health
        where cutoff = 'live' and outside_rate > 0.05
        group by all
        order by all
    """).fetchall()
    for name, rate in outside:
        page.say(
            f"{name}: {100 * rate:.1f} % of the customers are like none it has seen",
            "LOOK",
            "learn anew: `dbt build`, not `--selector daily`",
        )


# What a part reads decides whether there is anything to tell.
PARTS = (
    ("The last build", tell_build, {"operations.build_results"}),
    ("What came in", tell_inputs, {"main.fct_input_health"}),
    (
        "What was rejected",
        tell_reasons,
        {"main.fct_rejection_reasons", "main.fct_reconciliation"},
    ),
    ("As much as usual?", tell_volumes, {"main.fct_input_volumes"}),
    ("Do customers score as before?", tell_drift, {"main.fct_score_drift"}),
    ("What was learned", tell_models, {"main.fct_model_health"}),
)


def status(warehouse: Path) -> Page:
    """Return the page of a warehouse."""
    page = Page([f"Customer lifetime warehouse: {warehouse}"])
    with opened(warehouse) as connection:
        present = tables(connection)
        as_of_date = last_built = None
        if "intermediate.int_cutoff_dates" in present:
            as_of_date = connection.execute(
                "select max(cutoff_date) from intermediate.int_cutoff_dates"
                " where cutoff = 'live'"
            ).fetchone()[0]
        if "operations.build_results" in present:
            last_built = connection.execute(
                "select max_by(invocation_id, started_at) from operations.build_results"
                " where command = 'build'"
            ).fetchone()[0]
        page.say(f"as of {as_of_date or 'no day: there are no orders'}")
        tell_publication(page, warehouse, last_built)
        for title, tell, needed in PARTS:
            page.title(title)
            if needed <= present:
                tell(page, connection)
            else:
                page.say(
                    f"not known: {', '.join(sorted(needed - present))} is not there",
                    "LOOK",
                    "`dbt build` makes it",
                )
    page.lines += ["", "RED: see above." if page.is_red else "Nothing is red."]
    return page


def main() -> None:
    """Print the page; exit code 1 if anything is red."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "warehouse",
        type=Path,
        nargs="?",
        default=Path(os.environ.get("CLV_WAREHOUSE", DEFAULT_WAREHOUSE)),
        help="file of the warehouse (default: CLV_WAREHOUSE)",
    )
    page = status(parser.parse_args().warehouse)
    print("\n".join(page.lines))
    raise SystemExit(1 if page.is_red else 0)


if __name__ == "__main__":
    main()
