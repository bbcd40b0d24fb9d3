"""The copy of what is published in PostgreSQL, and the other ways of docs/bi.md.

A server is started for it, and set up by the statements that docs/bi.md gives.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from conftest import REPOSITORY, Warehouse
from postgresql_server import postgresql, server_program
from published import SERVED, publication
from publishing import Plugin
from serving_copy import CannotCopyError, columns_of, make_copy, opened

pytestmark = pytest.mark.bi

READER, WRITER = "customer_lifetime_reader", "customer_lifetime_writer"
PAGE = (REPOSITORY / "docs" / "bi.md").read_text()
# One picture: the months add up to the orders, and the version says to which.
TOTALS = """
    select
        (select version from customer_lifetime.publication),
        (select sum(revenue_amount) from customer_lifetime.fct_orders),
        (select sum(revenue_amount) from customer_lifetime.fct_months)
"""


def blocks(language: str) -> list[str]:
    """The code blocks of docs/bi.md in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


class Server:
    """A PostgreSQL server, asked through psql as anybody would."""

    def __init__(self, port: str) -> None:
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLV_", "PG"))
        } | {"PGHOST": "127.0.0.1", "PGPORT": port}

    def connection_string(self, user: str = WRITER) -> str:
        """How a program connects."""
        port = self.environment["PGPORT"]
        return f"host=127.0.0.1 port={port} dbname=customer_lifetime user={user}"

    def psql(self, user: str, database: str = "customer_lifetime") -> list[str]:
        """The command that talks to it."""
        quiet = ["-v", "ON_ERROR_STOP=1", "-qAtX", "-F", "\t"]
        return [server_program("psql"), *quiet, "-U", user, "-d", database]

    def run(
        self, sql: str, user: str = "ann", database: str = "customer_lifetime"
    ) -> subprocess.CompletedProcess:
        """Run statements, whatever comes of it."""
        return subprocess.run(
            self.psql(user, database),
            input=sql,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def ask(self, sql: str, user: str = "ann", **options) -> list[list[str]]:
        """All rows of statements that must succeed."""
        answer = self.run(sql, user, **options)
        assert answer.returncode == 0, answer.stderr
        return [line.split("\t") for line in answer.stdout.splitlines()]

    def until(self, sql: str) -> None:
        """Wait until a query of the administrator's gives true."""
        end = time.monotonic() + 60
        while self.ask(f"select ({sql})", "postgres") != [["t"]]:
            assert time.monotonic() < end, f"never true: {sql}"


class Session:
    """A reader with a connection of its own, that stays open."""

    def __init__(self, server: Server, user: str) -> None:
        self.process = subprocess.Popen(
            server.psql(user),
            env=server.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, sql: str) -> list[str]:
        """The rows of a statement."""
        self.process.stdin.write(f"{sql};\n\\echo answered\n")
        self.process.stdin.flush()
        lines = list(iter(self.process.stdout.readline, "answered\n"))
        assert "" not in lines, "the session was ended"
        return [line.rstrip("\n") for line in lines]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server, set up as docs/bi.md says."""
    with postgresql() as connection_string:
        server = Server(re.search(r"port=(\d+)", connection_string)[1])
        set_up, add_ann, _ = blocks("psql")
        server.ask(set_up, "postgres", database="postgres")
        server.ask(add_ann, "postgres")
        yield server


@pytest.fixture
def session(server: Server) -> Iterator[Callable[[str], Session]]:
    """Connections that end with the test."""
    opened_here = []

    def connect(user: str = "ann") -> Session:
        opened_here.append(Session(server, user))
        return opened_here[-1]

    yield connect
    for each in opened_here:
        each.process.kill()


class Shop:
    """A tiny warehouse, what is published of it, and the copy of that."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.warehouse = folder / "warehouse.duckdb"
        self.published = folder / "published"
        self.server = server
        self.keys = {"fct_orders": ["order_id"], "fct_months": ["order_month"]}
        self.readers = {}

    def publish(self, *changes: str) -> int:
        """Change the warehouse and publish it, by the plugin; return the version."""
        with duckdb.connect(str(self.warehouse)) as connection:
            for change in changes:
                connection.execute(change)
            names = connection.execute("select table_name from duckdb_tables()")
            request = {
                "database": "warehouse",
                "tables": [
                    {
                        "name": name,
                        "schema": "main",
                        "is_built": True,
                        "key": self.keys.get(name),
                        "readers": self.readers.get(name, [READER]),
                    }
                    for (name,) in names.fetchall()
                ],
                "as_of_date": "2024-04-09",
                "invocation_id": "by hand",
            }
            plugin = Plugin("publishing", {})
            plugin.connection = connection
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CLV_PUBLISHED", str(self.published))
                answer = json.loads(plugin.publish_tables(json.dumps(request)))
        assert answer["is_published"], answer["message"]
        return publication(self.served)["version"]

    @property
    def served(self) -> Path:
        """What is copied."""
        return self.published / SERVED

    def copy(self, is_forced: bool = False, user: str = WRITER) -> str:
        """Copy it."""
        string = self.server.connection_string(user)
        return make_copy(self.served, string, is_forced)

    def start(self, **variables: str) -> subprocess.Popen:
        """Start the command."""
        variables = {
            "CLV_PUBLISHED": str(self.published),
            "CLV_SERVING_COPY": self.server.connection_string(),
        } | variables
        return subprocess.Popen(
            [sys.executable, "scripts/serving_copy.py"],
            cwd=REPOSITORY,
            env=self.server.environment | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def said(self, **variables: str) -> str:
        """What the command says that must fail."""
        process = self.start(**variables)
        out, error = process.communicate(timeout=60)
        assert process.returncode == 1 and out == "", out
        assert "Traceback" not in error
        return error


@pytest.fixture
def shop(tmp_path: Path, server: Server) -> Shop:
    """A shop whose first version has been copied."""
    server.ask("drop schema if exists customer_lifetime cascade", "postgres")
    shop = Shop(tmp_path, server)
    shop.publish(
        """
        create table fct_orders as
        select
            'o' || i as order_id,
            (i * 1.1)::decimal(18, 4) as revenue_amount,
            date '2024-01-01' + i::integer as order_date
        from range(100) as numbers (i)
        """,
        """
        create table fct_months as
        select
            date_trunc('month', order_date)::date as order_month,
            sum(revenue_amount)::decimal(18, 4) as revenue_amount
        from fct_orders group by 1
        """,
        "create table fct_gone as select 1 as one",
        "comment on table fct_orders is 'One row per order, it''s said.'",
        "comment on column fct_orders.order_id is 'Its \"key\"; a text.'",
    )
    assert "Copied version 1 (as of 2024-04-09): 4 tables" in shop.copy()
    return shop


MORE = (
    "update fct_orders set revenue_amount = revenue_amount + 1",
    "update fct_months set revenue_amount = revenue_amount + days from (select"
    " date_trunc('month', order_date) as month, count(*) as days from fct_orders"
    " group by 1) where month = order_month",
)
FIRST, SECOND = "1\t5445.0000\t5445.0000", "2\t5545.0000\t5545.0000"


# -- The whole demo shop ------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(demo: Warehouse, server: Server) -> Path:
    """The demo shop's published file, copied by the documented command."""
    server.ask("drop schema if exists customer_lifetime cascade", "postgres")
    (command,) = (block for block in blocks("sh") if "serving-copy" in block)
    # the command behind `make`, which would look after the environment first
    command = command.replace(
        "make serving-copy", f"{sys.executable} scripts/serving_copy.py"
    )
    result = subprocess.run(
        ["bash", "-euc", command],
        cwd=REPOSITORY,
        env=server.environment | {"CLV_PUBLISHED": str(demo.published)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "Copied version 1 " in result.stdout
    return demo.published / SERVED


def test_rows_and_sums_are_those_of_the_published_file(copied, server):
    """The sums as PostgreSQL adds them up, each row as DuckDB compares them."""
    with opened(copied, server.connection_string("ann")) as connection:
        columns = columns_of(connection, "served", "main")
        del columns["publication_tables"]
        assert len(columns) > 60
        # names and types, so money is decimal there too
        assert columns_of(connection, "copy", "customer_lifetime") == columns
        queries = {
            table: ", ".join(
                ["count(*)"]
                + [
                    f"sum({name})" if "VAR" not in kind else f"count({name})"
                    for name, kind in re.findall(
                        r"(\w+) (DECIMAL\S*\)|DOUBLE|BIGINT|INTEGER|VARCHAR)", described
                    )
                ]
            )
            for table, described in columns.items()
        }
        there = server.ask(
            "; ".join(f"select {sums} from {name}" for name, sums in queries.items())
        )
        compared = 0
        for (table, sums), row in zip(queries.items(), there, strict=True):
            expected = connection.execute(f"select {sums} from served.{table}")
            for value, other in zip(expected.fetchone(), row, strict=True):
                compared += 1
                if isinstance(value, float):
                    assert float(other) == pytest.approx(value, rel=1e-9), table
                else:
                    assert other == ("" if value is None else str(value)), table
            for here, other in (("served", "copy"), ("copy", "served")):
                schemas = {"served": "main", "copy": "customer_lifetime"}
                left = connection.execute(
                    f"from {here}.{schemas[here]}.{table}"
                    f" except all from {other}.{schemas[other]}.{table}"
                )
                assert left.fetchall() == [], (table, here)
        assert compared > 700


def test_descriptions_and_keys_are_there(copied, server):
    with duckdb.connect(str(copied), read_only=True) as connection:
        described = connection.execute("""
            select table_name, '0', md5(comment) from duckdb_tables()
            union all
            select table_name, column_index::varchar, md5(comment) from duckdb_columns()
            where database_name = current_database() and schema_name = 'main'
        """).fetchall()
        keys = connection.execute("""
            select table_name, array_to_string(key_columns, ', ')
            from publication_tables where key_columns is not null
        """).fetchall()
    there = server.ask("""
        select relname, objsubid, md5(description)
        from pg_description join pg_class on pg_class.oid = objoid
        where relnamespace = 'customer_lifetime'::regnamespace and relkind = 'r'
    """)
    served = {row for row in described if row[2] and row[0] != "publication_tables"}
    assert {tuple(row) for row in there} == served
    assert len(served) > 900
    primary = server.ask("""
        select relname, string_agg(attname, ', ' order by place)
        from pg_constraint
        join pg_class on pg_class.oid = conrelid
        cross join unnest(conkey) with ordinality as part (number, place)
        join pg_attribute on attrelid = conrelid and attnum = number
        where contype = 'p' and relnamespace = 'customer_lifetime'::regnamespace
        group by relname
    """)
    assert {tuple(row) for row in primary} == set(keys)
    assert len(keys) > 60
    assert ("fct_orders", "order_id") in keys


def test_the_query_of_the_page_is_answered(copied, server):
    *_, query = blocks("psql")
    rows = server.ask(query)
    assert len(rows) == 3 and all(Decimal(revenue) > 0 for _, revenue in rows)


# -- Readers ------------------------------------------------------------------------


def test_a_reader_reads_and_does_nothing_else(shop, server):
    server.ask(
        "create schema others; create table others.secret as select 1", "postgres"
    )
    for statement in (
        "create table customer_lifetime.mine (a int)",
        "create table public.mine (a int)",
        "create temp table mine (a int)",
        "create schema mine",
        "create role mine",
        "insert into customer_lifetime.fct_gone values (2)",
        "update customer_lifetime.fct_orders set revenue_amount = 0",
        "delete from customer_lifetime.fct_orders",
        "truncate customer_lifetime.fct_orders",
        "drop table customer_lifetime.fct_gone",
        "comment on table customer_lifetime.fct_gone is 'x'",
        "create index on customer_lifetime.fct_orders (revenue_amount)",
        "select * from others.secret",
        "select pg_read_file('/etc/hostname')",
        "copy customer_lifetime.fct_orders to program 'cat'",
        "copy customer_lifetime.fct_orders to '/tmp/fct_orders'",
        f"set role {WRITER}",
    ):
        answer = server.run(statement)
        assert answer.returncode, statement
        assert re.search("permission denied|must be (owner|superuser)", answer.stderr)
    # what she may not pass on, PostgreSQL only warns of
    server.run("grant select on customer_lifetime.fct_orders to public")
    granted = "has_table_privilege('public', 'customer_lifetime.fct_orders', 'select')"
    assert server.ask(f"select {granted}") == [["f"]]
    assert server.ask(TOTALS) == [FIRST.split("\t")]
    server.ask("drop schema others cascade", "postgres")


def test_who_has_not_the_role_reads_nothing(shop, server):
    server.ask("drop role if exists bob; create role bob login", "postgres")
    assert "permission denied for database" in server.run("select 1", "bob").stderr
    server.ask("grant connect on database customer_lifetime to bob", "postgres")
    answer = server.run("select * from customer_lifetime.fct_orders", "bob")
    assert "permission denied for schema" in answer.stderr
    server.ask("revoke all on database customer_lifetime from bob", "postgres")


def test_grants_are_those_of_the_version(shop, server):
    server.ask("drop role if exists care; create role care login", "postgres")
    server.ask(f"grant {READER} to care; grant insert on all tables in schema"
               " customer_lifetime to public", "postgres")  # fmt: skip
    shop.readers = {"fct_orders": ["care"], "fct_months": []}
    shop.publish()
    shop.copy()
    read = "select count(*) from customer_lifetime."
    assert server.ask(f"{read}fct_orders", "care") == [["100"]]
    assert server.ask(f"{read}fct_gone") == [["1"]]
    for user, table in (
        ("ann", "fct_orders"),
        ("ann", "fct_months"),
        ("care", "fct_months"),
    ):
        assert (
            "permission denied for table" in server.run(f"{read}{table}", user).stderr
        )
    assert server.run("insert into customer_lifetime.fct_gone values (2)").returncode
    server.ask(f"revoke {READER} from care", "postgres")

    shop.readers = {"fct_orders": ["nobody_here"]}
    version = shop.publish()
    with pytest.raises(CannotCopyError, match='create role "nobody_here" nologin'):
        shop.copy()
    assert server.ask("select version from customer_lifetime.publication") == [["2"]]
    assert version == 3


def test_a_reader_keeps_the_version_it_began_with(shop, session):
    reader, other = session(), session()
    reader.ask("begin isolation level repeatable read")
    assert reader.ask("select count(*) from fct_orders") == ["100"]
    shop.publish(*MORE)
    assert "Copied version 2" in shop.copy()  # it waits for nobody
    assert reader.ask(TOTALS) == [FIRST]
    assert reader.ask("select count(*) from fct_gone") == ["1"]
    assert other.ask(TOTALS) == [SECOND]
    reader.ask("commit")
    assert reader.ask(TOTALS) == [SECOND]


# -- Versions -----------------------------------------------------------------------


def test_tables_that_change_or_go_do_so_when_no_one_reads_them(shop, server, session):
    reader = session()
    reader.ask("begin")
    assert reader.ask("select sum(revenue_amount) from fct_orders") == ["5445.0000"]
    shop.keys["fct_months"] = None
    shop.publish(
        "drop table fct_gone",
        "alter table fct_orders add column is_first boolean default true",
        "create table fct_new as select null::double as a, 'x' || chr(0) as b",
    )
    copying = shop.start()
    waits = "exists (select from pg_locks where not granted)"
    server.until(waits)
    # one that the copy has locked: neither of the two is ended, nor waits for long
    assert reader.ask("select count(*) from fct_gone") == ["1"]
    server.until(waits)
    reader.ask("commit")
    out, error = copying.communicate(timeout=60)
    assert "Copied version 2" in out, error
    assert server.ask("select relname from pg_class where relkind = 'r'"
                      " and relnamespace = 'customer_lifetime'::regnamespace"
                      " order by 1") == [
        ["fct_months"], ["fct_new"], ["fct_orders"], ["publication"]
    ]  # fmt: skip
    assert server.ask("select count(*) from fct_orders where is_first") == [["100"]]
    assert server.ask("select a is null, b from fct_new") == [["t", "x\ufffd"]]
    assert server.ask("select relname from pg_constraint join pg_class"
                      " on conrelid = pg_class.oid where contype = 'p'"
                      " and relnamespace = 'customer_lifetime'::regnamespace") == [
        ["fct_orders"]
    ]  # fmt: skip


def test_what_is_there_is_not_copied_again(shop, server):
    rows = "select sum(xmin::text::bigint) from customer_lifetime.fct_orders"
    before = server.ask(rows)
    assert shop.copy() == (
        "The copy has version 1 (as of 2024-04-09) already; nothing was done."
    )
    assert server.ask(rows) == before
    assert "Copied version 1" in shop.copy(is_forced=True)
    assert server.ask(rows) != before

    # as `make forget` does, which leaves the number of a version
    changed = shop.published / "changed.duckdb"
    shutil.copy(shop.served, changed)
    changed.chmod(0o644)
    with duckdb.connect(str(changed)) as connection:
        connection.execute("delete from fct_orders where order_id = 'o7'")
        connection.execute("update publication set published_at = now()::timestamp")
    os.replace(changed, shop.served)
    assert "Copied version 1" in shop.copy()
    assert server.ask("select count(*) from fct_orders") == [["99"]]


def test_room_of_what_was_deleted_is_used_again(shop, server):
    shop.publish("insert into fct_orders select 'n' || i, 1, date '2024-02-01'"
                 " from range(20000) as numbers (i)")  # fmt: skip
    size = "select pg_total_relation_size('customer_lifetime.fct_orders')"
    sizes = []
    for _ in range(4):
        shop.copy(is_forced=True)
        sizes.append(int(server.ask(size)[0][0]))
    assert sizes[3] <= 2.2 * sizes[0]


# -- What goes wrong ----------------------------------------------------------------


def test_a_copy_that_is_killed_leaves_the_one_before(shop, server, session):
    shop.publish(*MORE)
    admin = session("postgres")
    admin.ask("begin")
    # the last table: all others have been written
    admin.ask("lock table customer_lifetime.publication in share mode")
    copying = shop.start()
    server.until("exists (select from pg_locks where not granted)")
    copying.send_signal(signal.SIGKILL)
    copying.communicate(timeout=60)
    admin.ask("rollback")
    server.until(
        f"not exists (select from pg_stat_activity where usename = '{WRITER}')"
    )
    assert server.ask(TOTALS) == [FIRST.split("\t")]
    assert "Copied version 2" in shop.copy()
    assert server.ask(TOTALS) == [SECOND.split("\t")]


def test_a_copy_that_fails_leaves_the_one_before(shop, server):
    shop.keys["fct_orders"] = ["order_date", "revenue_amount"]
    shop.publish(*MORE, "insert into fct_orders select * replace ('o' as order_id)"
                 " from fct_orders limit 1")  # fmt: skip
    with pytest.raises(CannotCopyError) as failed:
        shop.copy()
    assert str(failed.value).startswith(
        "Nothing was changed. ERROR:  could not create unique index"
    )
    assert server.ask(TOTALS) == [FIRST.split("\t")]
    # someone's view of a table that must be made anew
    shop.keys["fct_orders"] = None
    shop.publish()
    server.ask("create view public.mine as select * from customer_lifetime.fct_orders",
               "postgres")  # fmt: skip
    with pytest.raises(CannotCopyError, match="view mine depends on table"):
        shop.copy()
    assert server.ask(TOTALS) == [FIRST.split("\t")]
    server.ask("drop view public.mine", "postgres")
    assert "Copied version 3" in shop.copy()


def test_a_password_is_asked_for_and_never_printed(shop, server):
    ((rules,),) = server.ask("show hba_file", "postgres")
    before = Path(rules).read_text()
    server.ask(f"alter role {WRITER} password 'right one'", "postgres")
    try:
        Path(rules).write_text(
            f"host all {WRITER} 127.0.0.1/32 scram-sha-256\n{before}"
        )
        server.ask("select pg_reload_conf()", "postgres")
        string = server.connection_string()
        port = server.environment["PGPORT"]
        address = f"postgresql://{WRITER}:hunter2@127.0.0.1:{port}/customer_lifetime"
        for wrong in (f"{string} password=hunter2", address):
            said = shop.said(CLV_SERVING_COPY=wrong)
            assert "password authentication failed" in said and "hunter2" not in said
        assert "no password supplied" in shop.said()
        said = shop.said(CLV_SERVING_COPY=address.replace("hunter2@", "hunter2"))
        assert "hunter2" not in said
        assert server.ask(TOTALS) == [FIRST.split("\t")]
        shop.publish(*MORE)
        copying = shop.start(PGPASSWORD="right one")
        out, error = copying.communicate(timeout=60)
        assert "Copied version 2" in out, error
    finally:
        Path(rules).write_text(before)
        server.ask("select pg_reload_conf()", "postgres")


def test_messages_say_what_to_do(shop, server, tmp_path):
    assert "CLV_SERVING_COPY is a connection string" in shop.said(CLV_SERVING_COPY="")
    assert "Nothing has been published" in shop.said(CLV_PUBLISHED=str(tmp_path))
    assert "run `make ducklake`" in shop.said(CLV_EXTENSIONS=str(tmp_path))
    assert "port 1 failed" in shop.said(CLV_SERVING_COPY="host=127.0.0.1 port=1")
    server.ask("drop schema customer_lifetime cascade; create schema customer_lifetime"
               f" authorization {WRITER}; create table customer_lifetime.own (a int)",
               "postgres")  # fmt: skip
    with pytest.raises(CannotCopyError, match="is somebody else's"):
        shop.copy()
    # without the right to make a schema
    server.ask("drop schema customer_lifetime cascade", "postgres")
    with pytest.raises(CannotCopyError, match="permission denied for database"):
        shop.copy(user="ann")


# -- The other ways of the page -----------------------------------------------------


@pytest.fixture
def folder(demo: Warehouse, tmp_path: Path) -> Path:
    """A folder like the repository after a build of the demo shop."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "published").symlink_to(demo.published)
    return tmp_path


def test_exports_have_every_row(folder):
    for block in blocks("sh"):
        if "serving-copy" not in block:
            subprocess.run(["bash", "-euc", block], cwd=folder, check=True)
    served = folder / "warehouse" / "published" / SERVED
    with duckdb.connect(str(served), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        assert len(names) > 60
        for (name,) in names:
            exported = f"read_parquet('{folder}/warehouse/parquet/{name}.parquet')"
            for query in (f"from {name} except all from {exported}",
                          f"from {exported} except all from {name}"):  # fmt: skip
                assert connection.execute(query).fetchall() == [], name
        ((rows,),) = connection.execute(
            f"select count(*) from read_csv('{folder}/warehouse/fct_segments.csv')"
        ).fetchall()
        assert rows == connection.table("fct_segments").count("*").fetchone()[0] > 0


def test_the_python_of_the_page_runs(folder, capfd):
    for block in blocks("python"):
        subprocess.run([sys.executable, "-c", block], cwd=folder, check=True)
    printed = capfd.readouterr().out
    assert re.search(r"calendar_month +revenue_amount", printed)
    # five rows
    assert len(re.findall(r"20\d\d-\d\d-01", printed)) == 5
