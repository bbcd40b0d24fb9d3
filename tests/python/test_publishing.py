"""Readers are never locked out, and what they read has passed: the published file."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import published
import pytest
import yaml
from conftest import REPOSITORY, Result, Warehouse, write_orders
from publishing import Plugin

# docs/bi.md: how a BI tool connects
LOCKED_DOWN = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "lock_configuration": "true",
}
DAILY = ["fct_customer_months", "fct_orders"]
PUBLISHED = ["dim_customers", *DAILY]
FAILING = {"CLV_TEST_FAILS": "yes"}
# One picture: the months add up to the orders, and the version says to which.
TOTALS = """
    select
        (select max(version) from publication),
        (select sum(revenue_amount)::double from fct_orders),
        (select sum(revenue_amount)::double from fct_customer_months),
        (select count(*) from fct_orders)
"""
# Prints such a picture for each of its connections, until it has seen the version.
READER = """
import json, sys
import duckdb
path, totals, last, config = json.loads(sys.argv[1])
version = 0
while version < last:
    with duckdb.connect(path, read_only=True, config=config) as connection:
        seen = [connection.execute(totals).fetchone() for _ in range(3)]
    version = seen[-1][0]
    print(json.dumps(seen), flush=True)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a project like this one that publishes three tables: it builds in seconds.

    One of them is weekly. There is a test more, to fail on demand.
    """
    folder = tmp_path_factory.mktemp("project") / "small"
    folder.mkdir()
    for path in REPOSITORY.iterdir():
        if path.name not in ("dbt_project.yml", "target", "logs", "warehouse"):
            (folder / path.name).symlink_to(path)
    settings = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
    marts = settings["models"]["customer_lifetime"]["marts"]
    assert marts["+meta"] == {"published": True}
    marts["+meta"] = {"published": False}
    marts["core"] = {name: {"+meta": {"published": True}} for name in PUBLISHED}
    marts["core"]["dim_customers"]["+tags"] = "weekly"
    settings["test-paths"] = ["tests", "tests_here"]
    (folder / "dbt_project.yml").write_text(json.dumps(settings))  # JSON is YAML
    (folder / "tests_here").mkdir()
    (folder / "tests_here" / "it_passes.sql").write_text(
        "select order_id from {{ ref('fct_orders') }}"
        " where '{{ env_var('CLV_TEST_FAILS', 'no') }}' = 'yes'"
    )
    return folder


class Shop(Warehouse):
    """A tiny shop, in the project that publishes three tables."""

    def run(
        self, *selected: str, command: str = "build", orders: int = 40, **options
    ) -> Result:
        """Run dbt on a shop of so many orders; by default all that is published."""
        chance, start = random.Random(5), date(2024, 1, 1)
        rows = [
            (f"o{n}", f"c{chance.randrange(9)}", start + timedelta(n % 400), n + 1)
            for n in range(orders)
        ]
        selected = selected or tuple(f"+{name}" for name in PUBLISHED)
        tests = []
        if command == "build":
            tests += ["--indirect-selection", "cautious"]
            tests += ["--exclude-resource-type", "unit_test"]
        inputs = write_orders(self.path.with_suffix(".inputs"), rows)
        return self.dbt(
            command, "--select", *selected, *tests, inputs=inputs, **options
        )

    @property
    def served(self) -> Path:
        """What readers open."""
        return self.published / published.SERVED

    def script(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run scripts/published.py on the folder."""
        return subprocess.run(
            [sys.executable, REPOSITORY / "scripts" / "published.py", *arguments],
            env=os.environ | {"CLV_PUBLISHED": str(self.published)},
            capture_output=True,
            text=True,
        )

    def publish(self, built: list[str] = PUBLISHED) -> str:
        """Publish once more what stands in the warehouse, by the plugin alone."""
        with duckdb.connect(str(self.path)) as connection:
            return publish(connection, self.published, built)


def publish(
    connection: duckdb.DuckDBPyConnection, folder: Path, built: list[str] = PUBLISHED
) -> str:
    """What the hook does at the end of a build that has passed."""
    request = {
        "database": connection.execute("select current_database()").fetchone()[0],
        "tables": [
            {
                "name": name,
                "schema": "main",
                "is_built": name in built,
                "key": None,
                "readers": [],
            }
            for name in PUBLISHED
        ],
        "as_of_date": "2024-02-09",
        "invocation_id": "by hand",
    }
    plugin = Plugin("publishing", {})
    plugin.connection = connection
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLV_PUBLISHED", str(folder))
        answer = json.loads(plugin.publish_tables(json.dumps(request)))
    assert answer["is_published"], answer["message"]
    return answer["message"]


@pytest.fixture(scope="module")
def first(
    tmp_path_factory: pytest.TempPathFactory, workbench: Path, project: Path
) -> tuple[Shop, Result]:
    """A shop that was built once, and so has published its first version."""
    shop = Shop(tmp_path_factory.mktemp("first") / "own.duckdb", workbench, project)
    return shop, shop.run()


@pytest.fixture
def shop(tmp_path: Path, first: tuple[Shop, Result], project: Path) -> Shop:
    """A copy of it."""
    built, _ = first
    copy = Shop(tmp_path / "own.duckdb", built.workbench, project)
    shutil.copy(built.path, copy.path)
    shutil.copytree(built.published, copy.published)
    return copy


@pytest.fixture
def empty_shop(tmp_path: Path, first: tuple[Shop, Result], project: Path) -> Shop:
    """A shop that nothing has been built of."""
    return Shop(tmp_path / "empty.duckdb", first[0].workbench, project)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str, int], Path]]:
    """Disks of a given number of KiB, by name; may be made larger later."""
    mounted = []

    def disk_of(name: str, kib: int) -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        again = ",remount" if folder in mounted else ""
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k{again}", "tmpfs", folder],
            capture_output=True,
            text=True,
        )
        if mount.returncode:
            pytest.skip(f"a small disk can't be mounted: {mount.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield disk_of
    for folder in set(mounted):
        subprocess.run(["umount", "--lazy", folder], check=True)


def read(path: Path, sql: str) -> list[tuple]:
    """All rows of a query, as a reader has them who is locked in."""
    with duckdb.connect(str(path), read_only=True, config=LOCKED_DOWN) as connection:
        return connection.execute(sql).fetchall()


def tables(path: Path, names: list[str] = PUBLISHED) -> dict[str, list[tuple]]:
    """All rows of tables."""
    return {name: read(path, f"from {name} order by all") for name in names}


def test_what_has_passed_is_published_and_nothing_else(first):
    shop, result = first
    assert result.succeeded, result.output
    assert f"Published version 1 as {shop.served}\n" in result.output
    assert read(shop.served, "select schema, name from (show all tables)") == [
        ("main", name) for name in [*PUBLISHED, "publication", "publication_tables"]
    ]
    assert tables(shop.served) == tables(shop.path)
    shape = (
        "select table_name, column_name, data_type, comment from duckdb_columns()"
        f" where schema_name = 'main' and table_name in {tuple(PUBLISHED)} order by all"
    )
    assert read(shop.served, shape) == read(shop.path, shape)
    assert all(comment for *_, comment in read(shop.served, shape))
    for (comment,) in read(shop.served, "select comment from duckdb_tables()"):
        assert comment.startswith("One row")
    said = read(shop.served, "select version, as_of_date::varchar from publication")
    assert said == [(1, "2024-02-09")]
    # what a copy must know of its tables: the grains, and dbt_project.yml's grants
    roles = ["customer_lifetime_reader"]
    assert read(shop.served, "from publication_tables order by table_name") == [
        ("dim_customers", ["customer_id"], roles),
        ("fct_customer_months", ["customer_id", "activity_month"], roles),
        ("fct_orders", ["order_id"], roles),
    ]
    # nothing of the work is left over
    assert sorted(
        str(p.relative_to(shop.published)) for p in shop.published.rglob("*")
    ) == [published.SERVED, "versions", "versions/.lock", "versions/000001.duckdb"]


def test_only_a_build_that_passes_whole_is_published(shop):
    before = shop.served.read_bytes()
    part = shop.run("fct_orders")
    assert part.succeeded and "ublished" not in part.output, part.output
    untested = shop.run(*DAILY, command="run")
    assert untested.succeeded, untested.output
    assert "Nothing was published: that takes a `dbt build`" in untested.output
    # nor does what only renders the hooks, as `dbt docs generate` does too
    compiled = shop.run("fct_orders", "fct_customer_months", command="compile")
    assert compiled.succeeded and "ublished" not in compiled.output, compiled.output
    failed = shop.run(*DAILY, environment=FAILING)
    assert not failed.succeeded
    assert "Something failed: nothing was published" in failed.output
    assert shop.served.read_bytes() == before
    assert list(published.versions(shop.published)) == [1]

    # what is built weekly stays as it was when it passed, whatever was done to it since
    with duckdb.connect(str(shop.path)) as connection:
        connection.execute("delete from dim_customers")
    passed = shop.run(*(f"+{name}" for name in DAILY), orders=50)
    assert passed.succeeded, passed.output
    assert f"Published version 2 as {shop.served}\n" in passed.output
    assert tables(shop.served, DAILY) == tables(shop.path, DAILY)
    now, then = shop.published / "versions/000002.duckdb", shop.path.with_suffix(".v1")
    then.write_bytes(before)
    assert tables(now, ["dim_customers"]) == tables(then, ["dim_customers"])
    assert read(now, TOTALS) == [(2, 1275.0, 1275.0, 50)]


def test_what_has_never_passed_is_left_out(shop, tmp_path):
    shop.published = tmp_path / "another"
    assert "without dim_customers: a whole build adds them" in shop.publish(DAILY)
    names = read(shop.served, "select name from (show all tables)")
    assert names == [(name,) for name in [*DAILY, "publication", "publication_tables"]]


def test_a_daily_build_has_all_tests_of_what_it_builds(workbench, tmp_path):
    """Else it would never be published: the hook would miss some."""
    # of no warehouse: dbt moves the one it runs on, and others read the demo shop's
    project = Warehouse(tmp_path / "none.duckdb", workbench)
    command = ("ls", "--selector", "daily", "--output", "json", "--output-keys")
    listed = project.dbt(*command, "unique_id", "--quiet").output
    selected = {json.loads(line)["unique_id"] for line in listed.splitlines()}
    manifest = json.loads((project.target() / "manifest.json").read_text())
    missing = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and name not in selected
        if {x for x in node["depends_on"]["nodes"] if x[:7] != "source."} <= selected
    }
    assert not missing
    # and all that is published is built daily or tagged weekly
    for name, node in manifest["nodes"].items():
        if node["config"]["meta"].get("published") and name not in selected:
            assert "weekly" in node["tags"], name


def test_what_holds_rows_as_they_were_delivered_is_not_published(demo):
    served = demo.published / published.SERVED
    names = {name for (name,) in read(served, "select name from (show all tables)")}
    of_itself = {"publication", "publication_tables"}
    assert {*demo.marts(), *of_itself} - names == {"fct_rejected_rows"}


def test_all_that_is_published_is_described(demo):
    described = (
        "select table_name, null, comment from duckdb_tables() where not internal"
        " union all select table_name, column_name, comment from duckdb_columns()"
        " where not internal"
    )
    rows = read(demo.published / published.SERVED, described)
    assert len(rows) > 900
    assert [row for row in rows if not row[2]] == []


def test_the_last_five_versions_are_kept_and_one_can_go_back(shop, tmp_path):
    for version in range(2, 8):
        assert f"Published version {version} " in shop.publish()
    said = shop.script("list").stdout.splitlines()
    assert [line.split()[1] for line in said] == ["3", "4", "5", "6", "7"]
    assert [line.endswith(", served") for line in said] == [False] * 4 + [True]

    with duckdb.connect(str(shop.served), read_only=True) as connection:
        back = shop.script("rollback")
        assert back.stdout.startswith("Now served: version 6 (as of 2024-02-09, ")
        assert connection.execute("select version from publication").fetchone() == (7,)
    assert read(shop.served, "select version from publication") == [(6,)]
    assert "Now served: version 3 " in shop.script("rollback", "3").stdout
    nothing = shop.script("rollback")
    assert nothing.returncode == 1
    assert "nothing to go back to" in nothing.stderr and "before 3" in nothing.stderr
    unknown = shop.script("rollback", "99")
    assert unknown.returncode == 1
    assert "no version 99" in unknown.stderr and "3, 4, 5, 6, 7" in unknown.stderr
    assert read(shop.served, "select version from publication") == [(3,)]
    assert "Published version 8 " in shop.publish()
    assert read(shop.served, "select version from publication") == [(8,)]

    shop.published = tmp_path / "nowhere"
    none = shop.script("rollback")
    assert none.returncode == 1 and "Nothing has been published" in none.stderr
    assert not shop.published.exists()


def test_a_folder_that_cannot_be_written_is_named(shop, tmp_path):
    shop.published = tmp_path / "a_file"
    shop.published.touch()
    with pytest.raises(
        AssertionError, match="Make sure that dbt can write to that fol"
    ):
        shop.publish()


def test_a_disk_without_hard_links_gets_copies(shop, monkeypatch):
    def no_links(*_):
        raise OSError("Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    shop.publish()
    assert read(shop.served, "select version from publication") == [(2,)]
    assert shop.served.stat().st_nlink == 1
    published.rollback(shop.published)
    assert read(shop.served, "select version from publication") == [(1,)]


def test_who_writes_to_what_is_served_leaves_no_trace(shop):
    """It takes root, or another mode of the file; the next version has none of it."""
    shop.served.chmod(0o644)
    writer = (
        "import os, signal, sys, duckdb;"
        "database = duckdb.connect(sys.argv[1]);"
        "database.execute('delete from fct_orders');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", writer, str(shop.served)])
    assert Path(f"{shop.served}.wal").exists()
    assert read(shop.served, "select count(*) from fct_orders") == [(0,)]
    shop.publish()
    assert read(shop.served, TOTALS) == [(2, 820.0, 820.0, 40)]
    assert shop.served.stat().st_mode & 0o222 == 0


def test_the_folder_belongs_to_the_warehouse(monkeypatch):
    monkeypatch.delenv("CLV_PUBLISHED", raising=False)
    monkeypatch.delenv("CLV_WAREHOUSE", raising=False)
    assert published.published_folder() == Path("warehouse/published")
    monkeypatch.setenv("CLV_WAREHOUSE", "warehouse/shop.duckdb")
    assert published.published_folder() == Path("warehouse/shop.duckdb.published")
    monkeypatch.setenv("CLV_PUBLISHED", "elsewhere")
    assert published.published_folder() == Path("elsewhere")


@pytest.mark.parametrize(
    "statement",
    [
        "from read_csv('{secret}')",
        "from '{secret}'",
        "from read_text('{secret}')",
        "from glob('{folder}/*')",
        "copy fct_orders to '{folder}/copied.csv'",
        "attach '{warehouse}' as other",
        "attach ':memory:' as other; create table other.t as select 1",
        "export database '{folder}/exported'",
        "load '{folder}/x.duckdb_extension'",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "set allowed_directories = ['/']",
        "set temp_directory = '{folder}/other'",
        "pragma enable_profiling = 'json'",
        "create table t as select 1",
        "delete from fct_orders",
        "create secret s (type s3, key_id 'a', secret 'b')",
    ],
)
def test_a_reader_who_is_locked_in_can_only_read(shop, tmp_path, statement):
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    statement = statement.format(secret=secret, folder=tmp_path, warehouse=shop.path)
    before = {path for path in tmp_path.rglob("*")}
    with (
        duckdb.connect(str(shop.served), read_only=True, config=LOCKED_DOWN) as reader,
        pytest.raises(duckdb.Error) as refused,
    ):
        reader.execute(statement).fetchall()
    assert re.search("disabled|locked|read-only|requires", str(refused.value))
    assert {path for path in tmp_path.rglob("*")} == before


def test_readers_see_one_version_each_while_others_are_published(shop):
    config = [str(shop.served), TOTALS, 6, LOCKED_DOWN]
    command = [sys.executable, "-c", READER, json.dumps(config)]
    readers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    try:
        heard = [[reader.stdout.readline()] for reader in readers]  # all are at it
        expected = {1: tuple(read(shop.served, TOTALS)[0][1:])}
        with duckdb.connect(str(shop.path)) as connection:
            for version in range(2, 7):
                connection.execute(
                    "insert into fct_orders from fct_orders"
                    " where order_id = 'o6' limit 1"
                )
                connection.execute(
                    "update fct_customer_months set revenue_amount = revenue_amount + 7"
                    " where rowid = 0"
                )
                assert f"version {version} " in publish(connection, shop.published)
                expected[version] = (820.0 + 7 * (version - 1),) * 2 + (39 + version,)
        for reader, lines in zip(readers, heard, strict=True):
            lines += reader.communicate(timeout=60)[0].splitlines()
    finally:
        for reader in readers:
            reader.kill()
    assert [reader.returncode for reader in readers] == [0] * 8
    for lines in heard:
        for line in lines:
            seen = json.loads(line)
            assert seen == [[seen[0][0], *expected[seen[0][0]]]] * 3
    versions_seen = {json.loads(line)[0][0] for lines in heard for line in lines}
    assert {1, 6} < versions_seen, "nobody read while others were published"


def test_a_second_build_of_a_warehouse_is_refused_at_once(empty_shop):
    with duckdb.connect(str(empty_shop.workbench / "warehouse.duckdb")) as first_build:
        refused = empty_shop.run()
        assert first_build.sql("from duckdb_tables()").fetchall() == []
    assert not refused.succeeded
    assert "is in use by" in refused.output and f"(PID {os.getpid()})" in refused.output
    assert "wait until it has ended" in refused.output
    assert "Traceback" not in refused.output
    assert not empty_shop.published.exists()


@pytest.mark.faults
def test_a_full_disk_leaves_what_is_served(shop, disk):
    """First while building, then while publishing; with room the next build passes."""
    before = shop.served.read_bytes()
    place = disk("place", shop.path.stat().st_size // 1024 + 300)
    shutil.move(shop.path, place / "warehouse.duckdb")
    shop.path.symlink_to(place / "warehouse.duckdb")
    folder = disk("small", len(before) // 1024 + 300)
    (folder / "versions").mkdir()
    shutil.copy(shop.served, folder / "versions" / "000001.duckdb")
    shop.published = folder
    published.serve(folder, 1)

    while_building = shop.run(orders=20_000)
    assert not while_building.succeeded
    assert "No space left on device" in while_building.output
    assert "Something failed: nothing was published" in while_building.output
    assert shop.served.read_bytes() == before

    disk("place", 200_000)
    while_publishing = shop.run(orders=20_000)
    assert not while_publishing.succeeded
    assert "could not be published" in while_publishing.output
    assert "Make room on that disk" in while_publishing.output
    assert "Traceback" not in while_publishing.output
    assert shop.served.read_bytes() == before
    assert not (folder / "versions" / ".new.duckdb").exists()

    disk("small", 200_000)
    passed = shop.run(*DAILY, orders=20_000)
    assert passed.succeeded, passed.output
    assert read(shop.served, TOTALS)[0][::3] == (2, 20_000)


def size_of(path: Path) -> int:
    """Its bytes; none if it is gone meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def kill(moment: float, shop: Shop, lines: int, killed: list[str]) -> Callable:
    """Return what kills a process with SIGKILL at a moment of its work.

    `moment` from 0 to 1 is that share of the lines that a build says on its way. From 1
    on it is in the publication: its copy is being made, of which the log and the file
    grow to about 2 MB by 1.8, or it has just become a version that is not served yet.
    """
    said = shop.workbench / "said"
    folder = shop.published / "versions"
    before = set(published.versions(shop.published))

    def reached() -> bool:
        if moment < 1:
            return said.read_text().count("\n") >= moment * lines
        if moment < 1.8 and not published.versions(shop.published).keys() - before:
            sizes = [size_of(path) for path in folder.glob(".new.duckdb*")]
            return bool(sizes) and sum(sizes) >= (moment - 1) / 0.8 * 2e6
        return bool(published.versions(shop.published).keys() - before)

    def watch(process: int) -> None:
        try:
            while not reached():
                os.kill(process, 0)
                time.sleep(0.0005)
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return  # it was faster
        killed.append("publishing" if moment >= 1 else "building")

    return watch


@pytest.mark.faults
def test_builds_that_are_killed_lose_nothing(empty_shop, first):
    """At random moments; in the end there is what one build makes."""
    shop, kills = empty_shop, 20
    built, result = first
    chance, killed, served = random.Random(7), [], None
    for number in range(kills):
        # spread over the run: the last fourth of the moments is in the publication
        moment = chance.uniform(number, number + 1) / kills * 4 / 3
        moment = moment if moment < 1 else 1 + (moment - 1) * 3
        watch = kill(moment, shop, result.output.count("\n"), killed)
        # the shop grows meanwhile, so that increments are killed too
        shop.run(orders=30 if number < kills / 2 else 40, meanwhile=watch)
        if shop.served.exists():
            version, orders, months, _ = read(shop.served, TOTALS)[0]
            assert orders == months
            assert served is None or version >= served
            served = version
    assert len(killed) == kills and killed.count("publishing") >= 3
    passed = shop.run()
    assert passed.succeeded, passed.output
    assert tables(shop.path) == tables(built.path) == tables(shop.served)
    left = {path.name for path in (shop.published / "versions").iterdir()}
    assert left == {
        ".lock",
        *(x.name for x in published.versions(shop.published).values()),
    }
