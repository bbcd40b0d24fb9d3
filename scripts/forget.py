"""Forget people: remove them from the warehouse, published versions and exports.

    make forget CUSTOMER=C0017,C0023
    make forget FILE=ids.txt          (one id per line)

What stays is a salted hash of their ids, so that the shop may go on delivering them,
and rows without a name or a day that stand for their orders, so that the orders,
revenue and margin of each month stay what they were. Every file is written anew: where
a database deletes a row, its bytes remain. SECURITY.md says what this does not reach.
"""

import argparse
import hashlib
import os
import secrets
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_DOWN, Decimal
from pathlib import Path

import duckdb
from published import DEFAULT_WAREHOUSE, locked, name_of, published_folder, text

MEMORY = ("forgotten_ids", "forgotten_orders")
# An order that stands for those of people who were forgotten
STANDS_IN = "customer_id is null and order_id like 'forgotten-%'"
AMOUNTS = (
    "order_amount",
    "discount_amount",
    "refund_amount",
    "revenue_amount",
    "margin_amount",
)


class CannotForgetError(Exception):
    """Why nothing was changed, and what to do."""


# -- Where people stand -------------------------------------------------------------


def tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Return the columns, with types, of every table but those that remember."""
    found = defaultdict(list)
    for schema, table, column, kind in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " join duckdb_tables() using (database_name, schema_name, table_name)"
        " where database_name = current_database() and not duckdb_tables.internal"
        " order by schema_name, table_name, column_index"
    ).fetchall():
        if (schema, table) not in [("raw", name) for name in MEMORY]:
            found[f'"{schema}"."{table}"'].append((column, kind))
    return found


def conditions(columns: list[tuple[str, str]]) -> list[str]:
    """Say what is true of the rows that belong to people in the table forgotten.

    A line of an order names the order only; a row that was not accepted stands as JSON.
    """
    names = [name for name, _ in columns]
    conditions = []
    if "customer_id" in names:
        conditions.append("trim(customer_id::varchar) in (select id from forgotten)")
    elif "order_id" in names:
        conditions.append("trim(order_id::varchar) in (select id from their_orders)")
    if "row_content" in names:
        for key, ids in (("customer_id", "forgotten"), ("order_id", "their_orders")):
            conditions.append(
                f"trim(json_extract_string(row_content, '$.{key}'))"
                f" in (select id from {ids})"
            )
    return conditions


def rows_of_people(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Count their rows in each table."""
    found = {}
    for table, columns in tables(connection).items():
        if where := " or ".join(conditions(columns)):
            query = f"select count(*) from {table} where {where}"
            if rows := connection.execute(query).fetchone()[0]:
                found[table.replace('"', "")] = rows
    return found


def same_texts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Find columns of other things in which a value reads like one of the ids."""
    found = []
    for table, columns in tables(connection).items():
        for column, kind in columns:
            if kind == "VARCHAR" and column != "customer_id":
                query = (
                    f'select count(*) from {table} where "{column}" in'
                    " (select id from forgotten)"
                )
                if rows := connection.execute(query).fetchone()[0]:
                    name = f"{table}.{column}".replace('"', "")
                    found.append(f"{name} ({rows} rows)")
    return found


# -- Removing them ------------------------------------------------------------------


def parts(total: Decimal, count: int) -> list[Decimal]:
    """Divide an amount into parts, equal but for the last, that add up to it."""
    part = (total / count).quantize(Decimal("0.0001"), ROUND_DOWN)
    return [part] * (count - 1) + [total - part * (count - 1)]


def let_others_stand_in(connection: duckdb.DuckDBPyConnection) -> None:
    """Add to fct_orders as many orders of nobody as are about to go, month by month.

    Those of a month and state, with those that stand in already, share their sums
    evenly. Their day is the month's first, or that of the first order left.
    """
    theirs = "customer_id in (select id from forgotten)"
    sums = ", ".join(f"sum({amount})" for amount in AMOUNTS)
    groups = connection.execute(f"""
        select
            order_month,
            order_state,
            greatest(order_month, (
                select min(order_date) from main.fct_orders
                where customer_id is null or not {theirs}
            )) as order_date,
            count(*) as order_count,
            {sums}
        from main.fct_orders
        where {theirs} or ({STANDS_IN})
        group by order_month, order_state
        having count(*) filter ({theirs}) > 0
        order by order_month, order_state
    """).fetchall()
    for month, state, day, count, *totals in groups:
        if day.replace(day=1) != month:
            day = month
        name = f"forgotten-{month:%Y-%m}-{state}-"
        connection.execute(
            "delete from main.fct_orders where starts_with(order_id, ?)", [name]
        )
        split = zip(
            *(parts(total or Decimal(0), count) for total in totals), strict=True
        )
        connection.executemany(
            "insert into main.fct_orders by name select ? as order_id,"
            " ?::date as order_date, order_date::timestamp as ordered_at,"
            " ?::date as order_month, ? as order_state, "
            + ", ".join(f"?::decimal(18, 4) as {amount}" for amount in AMOUNTS)
            + ", case when order_state = 'completed'"
            " then revenue_amount - margin_amount end as cost_amount,"
            " true as is_guest, false as is_first_order, false as is_outlier,"
            " 0 as content_hash",
            [
                (f"{name}{number}", day, month, state, *amounts)
                for number, amounts in enumerate(split, 1)
            ],
        )


def remember(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep hashes of the ids, and the orders that stand in, for the next builds."""
    connection.execute("""
        create schema if not exists raw;
        create table if not exists raw.forgotten_ids (
            id_kind varchar, id_hash varchar, salt varchar
        )
    """)
    salt = connection.execute("select max(salt) from raw.forgotten_ids").fetchone()[0]
    salt = salt or secrets.token_hex(16)
    known = set(
        connection.execute("select id_kind, id_hash from raw.forgotten_ids").fetchall()
    )
    ids = connection.execute("""
        select 'customer_id', id from forgotten
        union all
        select 'order_id', id from their_orders
    """).fetchall()
    hashes = {
        (kind, hashlib.sha256((salt + one).encode()).hexdigest()) for kind, one in ids
    }
    if hashes - known:
        connection.executemany(
            "insert into raw.forgotten_ids values (?, ?, ?)",
            [(*one, salt) for one in sorted(hashes - known)],
        )
    connection.execute(f"""
        create or replace table raw.forgotten_orders as
        select
            order_id,
            customer_id,
            ordered_at,
            order_amount as amount,
            coalesce((
                select min(status) from staging.order_statuses as statuses
                where statuses.order_state = fct_orders.order_state
            ), order_state) as status,
            discount_amount,
            refund_amount,
            cost_amount,
            -- theirs that needed no conversion; NULL = the reporting currency, too
            (
                select case when count(distinct currency) = 1 then max(currency) end
                from staging.base_shop__orders
                where exchange_rate = 1
            ) as currency,
            null::varchar as sales_channel,
            null::timestamp as updated_at
        from main.fct_orders
        where {STANDS_IN};
        delete from staging.base_shop__orders where {STANDS_IN};
        insert into staging.base_shop__orders by name
        select *, 1 as exchange_rate, 'accepted' as row_outcome
        from raw.forgotten_orders;
    """)


def check_whole(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise unless every order that is accepted has reached fct_orders."""
    missing = connection.execute("""
        select count(*)
        from staging.base_shop__orders
        anti join staging.base_shop__orders_of_unknown_customers using (order_id)
        anti join main.fct_orders using (order_id)
        where row_outcome = 'accepted'
    """).fetchone()[0]
    if missing:
        raise CannotForgetError(
            f"{missing} orders are known but not in fct_orders: the last build was not"
            " of the whole warehouse, or as of an earlier day. Run dbt build first, so"
            " that no order is lost from the totals."
        )


def remove(connection: duckdb.DuckDBPyConnection, is_warehouse: bool) -> dict[str, int]:
    """Remove people from an open database; the numbers of rows by table.

    Parameters
    ----------
    is_warehouse
        Whether it is the one that is built, and remembers whom to leave out.
    """
    connection.begin()
    removed = rows_of_people(connection)
    if "main.fct_orders" in removed:
        let_others_stand_in(connection)
    if is_warehouse:
        remember(connection)
    else:
        # so that a copy of the version is seen to be an old one (serving_copy.py)
        connection.execute(
            "update main.publication set published_at = now() at time zone 'UTC'"
        )
    for table, columns in tables(connection).items():
        if where := " or ".join(conditions(columns)):
            connection.execute(f"delete from {table} where {where}")
    connection.commit()
    return removed


def write_anew(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Replace a database by one that has its tables and none of its free blocks."""
    fresh = path.with_name(path.name + ".anew")
    fresh.unlink(missing_ok=True)
    name = connection.execute("select current_database()").fetchone()[0]
    connection.execute("checkpoint")
    connection.execute(f"attach {text(fresh)} as written_anew")
    connection.execute(f"copy from database {name_of(name)} to written_anew")
    connection.execute("detach written_anew")
    os.replace(fresh, path)


# -- The files ----------------------------------------------------------------------


@contextmanager
def opened(path: Path, ids: list[str], orders: list[str], **options) -> Iterator:
    """Open a database; its connection knows whom to forget.

    Parameters
    ----------
    orders
        Ids of their orders.
    """
    try:
        connection = duckdb.connect(str(path), **options)
    except duckdb.IOException as error:
        raise CannotForgetError(
            f"{path} can't be opened. If a build or a reader has it, close that and run"
            f" this again. ({error})"
        ) from error
    with connection:
        for table, values in (("forgotten", ids), ("their_orders", orders)):
            connection.execute(f"create temp table {table} (id varchar)")
            insert(connection, table, values)
        yield connection


def insert(connection: duckdb.DuckDBPyConnection, table: str, ids: list[str]) -> None:
    """Insert ids into a table of one column."""
    if ids:
        connection.executemany(f"insert into {table} values (?)", [[x] for x in ids])


def orders_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the ids of their orders; not one that is somebody else's, too."""
    return [
        one
        for (one,) in connection.execute("""
            select distinct order_id
            from staging.base_shop__orders
            where
                customer_id in (select id from forgotten)
                and order_id not in (
                    select order_id from staging.base_shop__orders
                    where
                        row_outcome = 'accepted'
                        and order_id is not null
                        and (
                            customer_id is null
                            or customer_id not in (select id from forgotten)
                        )
                )
            order by order_id
        """).fetchall()
    ]


def unknown_ids(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the ids that nothing was delivered of: mistyped, or forgotten before."""
    known = " union all ".join(
        f"select customer_id as id from {table}"
        for table, columns in tables(connection).items()
        if table.startswith(('"staging".', '"raw".'))
        and ("customer_id", "VARCHAR") in columns
    )
    rows = connection.execute(
        f"select id from forgotten anti join ({known}) as known using (id) order by id"
    )
    return [one for (one,) in rows.fetchall()]


def other_ids(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the other ids under which the same people are known (match_customers)."""
    return [
        one
        for (one,) in connection.execute("""
            select customer_id
            from raw.customer_ids
            where
                canonical_customer_id in (
                    select canonical_customer_id from raw.customer_ids
                    where customer_id in (select id from forgotten)
                )
                and customer_id not in (select id from forgotten)
            order by customer_id
        """).fetchall()
    ]


def forget_in_version(path: Path, ids: list[str], orders: list[str]) -> dict[str, int]:
    """Write a published version anew, where it has rows of them.

    Who has the old one open keeps it until they connect again.
    """
    with opened(path, ids, orders, read_only=True) as connection:
        if not rows_of_people(connection):
            return {}
    work = path.with_name(path.name + ".work")
    # a run that was killed may have left one
    work.with_name(work.name + ".wal").unlink(missing_ok=True)
    # not its mode: versions are kept from being written to
    shutil.copyfile(path, work)
    with opened(work, ids, orders) as connection:
        removed = remove(connection, is_warehouse=False)
        write_anew(connection, work)
    shutil.copymode(path, work)
    os.replace(work, path)
    return removed


def forget_in_export(path: Path, ids: list[str]) -> int:
    """Write an exported audience anew, where it has rows of them."""
    if path.suffix == ".csv":
        source = f"read_csv({text(path)}, header = true, all_varchar = true)"
        kind = "csv, header"
    else:
        source, kind = f"read_parquet({text(path)})", "parquet"
    with opened(Path(":memory:"), ids, []) as connection:
        described = connection.execute(f"describe from {source}").fetchall()
        theirs = "customer_id in (select id from forgotten)"
        if "customer_id" not in [column[0] for column in described]:
            return 0
        rows = connection.execute(f"select count(*) from {source} where {theirs}")
        removed = rows.fetchone()[0]
        if removed:
            work = path.with_name(path.name + ".work")
            connection.execute(
                f"copy (from {source} where not coalesce({theirs}, false))"
                f" to {text(work)} (format {kind})"
            )
            os.replace(work, path)
    return removed


def remove_unfinished(folder: Path) -> None:
    """Remove what a build that was killed has left of a version."""
    for path in [*folder.glob(".*.duckdb"), *folder.glob("versions/.*.duckdb")]:
        path.unlink()


def served_with_versions(folder: Path) -> list[tuple[Path, list[Path]]]:
    """Return the published files, each with the others that are hard links of it."""
    files: dict[tuple[int, int], list[Path]] = defaultdict(list)
    for path in [*sorted(folder.glob("versions/*.duckdb")), *folder.glob("*.duckdb")]:
        status = path.stat()
        files[status.st_dev, status.st_ino].append(path)
    return [(paths[0], paths[1:]) for paths in files.values()]


def exported(folder: Path) -> list[Path]:
    """Return the files of a folder of audiences."""
    return sorted([*folder.glob("*.csv"), *folder.glob("*.parquet")])


def spilled(warehouse: Path) -> list[Path]:
    """Find what a build that was killed has left of what it spilled."""
    folder = os.environ.get("CLV_TEMP_DIRECTORY") or f"{warehouse}.tmp"
    return sorted(Path(folder).glob("duckdb_temp*"))


# -- The command --------------------------------------------------------------------


def forget(ids: list[str], warehouse: Path, published: Path, exports: Path) -> bool:
    """Remove people everywhere, and look for them again; whether none was found."""
    with opened(warehouse, ids, []) as connection:
        names = {(schema, name) for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()}  # fmt: skip
        if not {("main", "fct_orders"), ("staging", "base_shop__orders")} <= names:
            raise CannotForgetError(
                f"{warehouse} has not been built yet: run dbt build."
            )
        check_whole(connection)
        for one in unknown_ids(connection):
            print(f"{one} was not found; what is delivered of it will be left out.")
        if ("raw", "customer_ids") in names:
            insert(connection, "forgotten", others := other_ids(connection))
            ids = ids + others
        orders = orders_of(connection)
        insert(connection, "their_orders", orders)
        # the warehouse last: it knows the other ids and the orders, should this break
        # off and be run again
        with locked(published):
            remove_unfinished(published)
            for path, links in served_with_versions(published):
                removed = forget_in_version(path, ids, orders)
                for link in links if removed else []:
                    # the old one until the new one is in its place
                    work = link.with_name(link.name + ".work")
                    work.unlink(missing_ok=True)
                    os.link(path, work)
                    os.replace(work, link)
                for each in [path, *links]:
                    print(f"{each}: {sum(removed.values())} rows removed")
        for path in exported(exports):
            print(f"{path}: {forget_in_export(path, ids)} rows removed")
        removed = remove(connection, is_warehouse=True)
        write_anew(connection, warehouse)
    print(f"{warehouse}: {sum(removed.values())} rows removed")
    for table, rows in removed.items():
        print(f"  {table}: {rows}")
    for path in spilled(warehouse):
        path.unlink()
        print(f"{path}: removed, left by a build that was killed")

    if os.environ.get("CLV_SERVING_COPY"):
        print("The copy in PostgreSQL has them until `make serving-copy` has run.")
    return is_gone(ids, orders, warehouse, published, exports)


def is_gone(
    ids: list[str], orders: list[str], warehouse: Path, published: Path, exports: Path
) -> bool:
    """Look through every table of every file; print what is found."""
    left, alike, searched = [], [], 0
    files = [warehouse]
    for path, links in served_with_versions(published):
        files += [path, *links]
    for path in files:
        with opened(path, ids, orders, read_only=True) as connection:
            searched += len(tables(connection))
            left += [f"{path}: {table}" for table in rows_of_people(connection)]
            alike += [f"{path}: {column}" for column in same_texts(connection)]
    for path in exported(exports):
        searched += 1
        files.append(path)
        if forget_in_export(path, ids):
            left.append(str(path))
    for line in alike:
        print(f"Not theirs, but reads like one of the ids: {line}")
    for line in left:
        print(f"STILL THERE: {line}", file=sys.stderr)
    if not left:
        print(
            f"{len(ids)} customers: in none of the {searched} tables of"
            f" {len(files)} files."
        )
    return not left


def main() -> int:
    """Read the command line; 0 = they are gone, 1 = not all, 2 = it cannot be done."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--customer", default="", help="ids, separated by commas")
    parser.add_argument("--file", default="", help="a file of ids, one per line")
    given = parser.parse_args()
    ids = given.customer.split(",")
    try:
        if given.file:
            if not Path(given.file).is_file():
                raise CannotForgetError(f"There is no file {given.file}.")
            ids += Path(given.file).read_text(encoding="utf-8-sig").splitlines()
        ids = sorted({one.strip() for one in ids} - {""})
        if not ids:
            raise CannotForgetError(
                "Whom? make forget CUSTOMER=<id,id> or FILE=<ids.txt>."
            )
        warehouse = Path(os.environ.get("CLV_WAREHOUSE") or DEFAULT_WAREHOUSE)
        if not warehouse.exists():
            raise CannotForgetError(
                f"There is no warehouse {warehouse} (CLV_WAREHOUSE)."
            )
        gone = forget(
            ids,
            warehouse,
            published_folder(warehouse),
            Path(os.environ.get("CLV_EXPORTS") or "exports"),
        )
    except CannotForgetError as error:
        print(error, file=sys.stderr)
        return 2
    except (duckdb.Error, OSError) as error:
        print(f"Broke off; mend this and run it again. {error}", file=sys.stderr)
        return 1
    return 0 if gone else 1


if __name__ == "__main__":
    sys.exit(main())
