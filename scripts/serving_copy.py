"""Copy what is published to PostgreSQL, for tools that can't open a DuckDB file.

    CLV_SERVING_COPY="host=... dbname=... user=..." make serving-copy

The schema `customer_lifetime` of that database then has the served version: every
table with its descriptions, its key and its readers. It is one transaction that
deletes rows and inserts others. So readers are not held up, one whose transaction has
begun (repeatable read) keeps its version, and a copy that fails changes nothing. What
is there already is not copied again.
"""

import argparse
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
from published import SERVED, name_of, published_folder, text

SCHEMA = "customer_lifetime"
# A lock is asked for so briefly that readers behind it wait for less than the second
# after which PostgreSQL would end one of two that wait for each other.
LOCK_TIMEOUT, ATTEMPTS = "500ms", 60
MAY_SUCCEED_LATER = ("lock timeout", "could not serialize access")


class CannotCopyError(Exception):
    """Why nothing was changed, and what to do."""


def here(table: str) -> str:
    """Name a table as PostgreSQL does."""
    return name_of(SCHEMA, table)


# -- The two databases ------------------------------------------------------------


@contextmanager
def opened(served: Path, connection_string: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file as `served` and PostgreSQL as `copy`."""
    extensions = os.environ.get("CLV_EXTENSIONS") or f"{sys.prefix}/duckdb_extensions"
    config = {
        "extension_directory": extensions,
        "autoinstall_known_extensions": "false",
        "memory_limit": "1GB",  # rows pass through; there is nothing to keep
    }
    with duckdb.connect(config=config) as connection:
        try:
            connection.execute("load postgres_scanner")
        except duckdb.Error as error:
            raise CannotCopyError(
                f"{extensions} has no extension of DuckDB's for PostgreSQL: run `make"
                " ducklake`, which puts it there."
            ) from error
        # PostgreSQL has no text with this character
        connection.execute("set pg_null_byte_replacement = '\N{REPLACEMENT CHARACTER}'")
        connection.execute(f"attach {text(served)} as served (read_only)")
        try:
            connection.execute(
                f"attach {text(connection_string)} as copy"
                f" (type postgres, schema {text(SCHEMA)})"
            )
        except duckdb.Error as error:
            # what else it says has the connection string, and that may have a password
            why = re.search("(connection to|could not translate).*", str(error), re.S)
            raise CannotCopyError(
                f"PostgreSQL can't be reached: {why[0].strip()}"
                if why
                else "CLV_SERVING_COPY is not a connection string such as"
                ' "host=127.0.0.1 dbname=shop user=ann".'
            ) from None
        yield connection


def tell(
    connection: duckdb.DuckDBPyConnection, *statements: str, by_itself: bool = False
) -> None:
    """Have PostgreSQL run statements, in the transaction unless by themselves."""
    if statements:
        connection.execute(
            f"call postgres_execute('copy', {text('; '.join(statements))}"
            f"{', use_transaction => false' if by_itself else ''})"
        )


def ask(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    """All rows of a query that PostgreSQL answers."""
    return connection.execute(f"from postgres_query('copy', {text(query)})").fetchall()


def columns_of(
    connection: duckdb.DuckDBPyConnection, database: str, schema: str
) -> dict[str, str]:
    """Names and types of the columns of each table."""
    return dict(
        connection.execute(
            "select"
            "   table_name,"
            "   string_agg(column_name || ' ' || data_type, ', ' order by column_index)"
            " from duckdb_columns()"
            " where database_name = $1 and schema_name = $2"
            " group by table_name order by table_name",
            [database, schema],
        ).fetchall()
    )


# -- What the copy must have besides rows -------------------------------------------


def keys_there(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Columns of the primary key of each table that has one."""
    return dict(
        ask(
            connection,
            f"""
            select relname::text as name, array_agg(attname::text order by place) as key
            from pg_constraint
            join pg_class on pg_class.oid = conrelid
            cross join unnest(conkey) with ordinality as part (number, place)
            join pg_attribute on attrelid = conrelid and attnum = number
            where contype = 'p' and relnamespace in (
                select oid from pg_namespace where nspname = {text(SCHEMA)}
            )
            group by relname
            """,
        )
    )


def comments(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return the statements that describe each served table and its columns."""
    statements = defaultdict(list)
    for table, column, comment in connection.execute(
        "select table_name, null, comment from duckdb_tables()"
        " where database_name = 'served' union all"
        " select table_name, column_name, comment from duckdb_columns()"
        " where database_name = 'served'"
    ).fetchall():
        parts = [SCHEMA, table, column] if column else [SCHEMA, table]
        what = f"{'column' if column else 'table'} {name_of(*parts)}"
        statements[table].append(f"comment on {what} is {text(comment)}")
    return statements


def grants(
    connection: duckdb.DuckDBPyConnection, readers: dict[str, list[str]]
) -> list[str]:
    """Return the statements after which those may read who are named, and no one else.

    Parameters
    ----------
    readers : dict
        The roles of each table.
    """
    wanted = {
        ("table " + here(table), role, "SELECT")
        for table, roles in readers.items()
        for role in roles
    } | {
        ("schema " + SCHEMA, role, "USAGE")
        for roles in readers.values()
        for role in roles
    }
    there = set(
        ask(
            connection,
            f"""
            select
                what || ' ' || name as object,
                coalesce(rolname::text, 'public') as role,
                privilege_type as privilege
            from (
                select
                    'table' as what,
                    format('"{SCHEMA}"."%s"', replace(relname, '"', '""')) as name,
                    relowner as owner,
                    relacl as rights
                from pg_class
                where relnamespace = {text(SCHEMA)}::regnamespace
                union all
                select 'schema', nspname, nspowner, nspacl
                from pg_namespace
                where nspname = {text(SCHEMA)}
            ) as object
            cross join aclexplode(rights) as granted
            left join pg_roles on pg_roles.oid = grantee
            where grantee != owner
            """,
        )
    )

    def named(role: str) -> str:
        return role if role == "public" else name_of(role)

    return [
        f"revoke {privilege} on {what} from {named(role)}"
        for what, role, privilege in sorted(there - wanted)
    ] + [
        f"grant {privilege} on {what} to {named(role)}"
        for what, role, privilege in sorted(wanted - there)
    ]


# -- Copying ------------------------------------------------------------------------


def fill(connection: duckdb.DuckDBPyConnection, is_forced: bool) -> str:
    """Make the copy what is served, in one transaction; say what was done."""
    start = time.monotonic()
    publication = "select version, invocation_id, published_at, as_of_date from "
    said = connection.execute(f"{publication} served.publication").fetchone()
    name = f"version {said[0]} (as of {said[3]})"
    keys, readers = {}, {}
    for table, key, roles in connection.execute(
        "select table_name, key_columns, reader_roles from served.publication_tables"
    ).fetchall():
        keys[table], readers[table] = key, roles
    readers["publication"] = sorted(set().union(*readers.values()))
    wanted = columns_of(connection, "served", "main")
    # PostgreSQL has keys and grants of its own
    del wanted["publication_tables"]

    connection.begin()
    tell(
        connection,
        f"set local lock_timeout = '{LOCK_TIMEOUT}'",
        # one copies at a time
        f"select pg_advisory_xact_lock(hashtext({text(SCHEMA)}))",
    )
    # DuckDB must know what is made and dropped there, so it is told
    connection.execute(f"create schema if not exists {name_of('copy', SCHEMA)}")
    there = columns_of(connection, "copy", SCHEMA)
    if there and "publication" not in there:
        raise CannotCopyError(
            f"The schema {SCHEMA} of that database is somebody else's: it has tables"
            " and no `publication`. Take another database."
        )
    if there and not is_forced:
        stands = ask(connection, publication + here("publication"))
        if stands == [said]:
            return f"The copy has {name} already; nothing was done."
    known = {role for (role,) in ask(connection, "select rolname::text from pg_roles")}
    if missing := set(readers["publication"]) - known:
        raise CannotCopyError(
            "dbt_project.yml grants to roles that this PostgreSQL doesn't have. Make"
            " them there, or change the grants and build: "
            + "; ".join(f"create role {name_of(role)} nologin" for role in missing)
        )

    keys_before = keys_there(connection)
    kept = {
        table
        for table in there
        if there[table] == wanted.get(table)
        and keys_before.get(table) == keys.get(table)
    }
    if gone := [table for table in there if table not in kept]:
        # before anything else is waited for
        names = ", ".join(map(here, gone))
        tell(connection, f"lock table {names} in access exclusive mode")
        for table in gone:
            connection.execute(f"drop table {name_of('copy', SCHEMA, table)}")
    tell(
        connection,
        f"comment on schema {SCHEMA} is 'The published tables of the customer lifetime"
        " warehouse. make serving-copy fills it, and removes what else is in it.'",
    )
    described, row_count = comments(connection), 0
    for table in wanted:
        source, target = name_of("served", table), name_of("copy", SCHEMA, table)
        if table in kept:
            tell(connection, f"delete from {here(table)}")
            done = connection.execute(f"insert into {target} from {source}")
        else:
            done = connection.execute(f"create table {target} as from {source}")
        row_count += done.fetchone()[0]
        if table not in kept and keys.get(table):
            key = ", ".join(map(name_of, keys[table]))
            tell(connection, f"alter table {here(table)} add primary key ({key})")
        tell(connection, *described[table])
    tell(connection, *grants(connection, readers))
    connection.commit()
    # What was deleted makes room for the next version, and queries are planned well. If
    # not now, PostgreSQL does it by itself.
    with suppress(duckdb.Error):
        for table in wanted:
            tell(connection, f"vacuum (analyze) {here(table)}", by_itself=True)
    return (
        f"Copied {name}: {len(wanted)} tables, {row_count} rows, in"
        f" {time.monotonic() - start:.0f} s."
    )


def make_copy(served: Path, connection_string: str, is_forced: bool) -> str:
    """Fill the copy, as soon as readers and others who copy let it."""
    for attempt in range(ATTEMPTS):
        try:
            with opened(served, connection_string) as connection:
                return fill(connection, is_forced)
        except duckdb.Error as error:
            is_last = attempt == ATTEMPTS - 1
            if is_last or not any(words in str(error) for words in MAY_SUCCEED_LATER):
                # without the statement, and without a password
                why = str(error).replace(connection_string, "CLV_SERVING_COPY")
                why = why[max(why.find("ERROR:"), 0) :].strip()
                raise CannotCopyError(f"Nothing was changed. {why}") from None


def main() -> None:
    """Copy what is served, unless it is there already."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--force", action="store_true", help="even if it is there")
    is_forced = parser.parse_args().force
    connection_string = os.environ.get("CLV_SERVING_COPY")
    served = published_folder() / SERVED
    try:
        if not connection_string:
            raise CannotCopyError(
                "Say where to: CLV_SERVING_COPY is a connection string of PostgreSQL's,"
                ' such as "host=127.0.0.1 dbname=shop user=ann". The password belongs'
                " into PGPASSWORD or ~/.pgpass."
            )
        if not served.exists():
            raise CannotCopyError(f"Nothing has been published as {served} yet.")
        print(make_copy(served, connection_string, is_forced))
    except CannotCopyError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
