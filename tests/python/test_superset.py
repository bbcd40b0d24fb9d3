"""The Superset dashboards, imported into a Superset of the tests' own and looked at.

`make test-bi` makes Superset's environment; without it, or without Chromium, nothing
can be looked at and the tests say that they are skipped. Pictures of what was seen are
kept in dashboards/superset/pictures.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import duckdb
import pytest
import superset_assets
import yaml
from conftest import CHROMIUM, REPOSITORY, needs_chromium

BIN = REPOSITORY / ".venv-superset" / "bin"
PICTURES = REPOSITORY / "dashboards" / "superset" / "pictures"
PATIENCE = 240  # seconds
BOARDS = superset_assets.read_boards()

needs_superset = pytest.mark.skipif(
    not (BIN / "superset").exists(), reason="make test-bi makes .venv-superset"
)


class Superset:
    """A Superset of its own folder, served to this machine."""

    def __init__(self, folder: Path, published: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.file = published / "customer_lifetime.duckdb"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = os.environ | {
            "SUPERSET_HOME": str(self.home),
            "CLV_PUBLISHED": str(published),
        }
        self.headers = {}
        # the token against forged requests is one session's
        self.session = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def command(self, *arguments: str) -> list[str]:
        """A command of scripts/superset_home.py."""
        return [str(BIN / "python"), "scripts/superset_home.py", *arguments]

    def prepare(self) -> str:
        """Make it, as make superset does."""
        made = subprocess.run(
            self.command("prepare"),
            cwd=REPOSITORY,
            env=self.variables,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr
        return made.stdout

    def serve(self) -> subprocess.Popen:
        """Serve it, as make serve-superset does, and wait until it answers."""
        log = (self.folder / "server.log").open("w")
        process = subprocess.Popen(
            self.command("serve", "--port", str(self.port)),
            cwd=REPOSITORY,
            env=self.variables,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=10).close()
                return process
            except (urllib.error.URLError, TimeoutError):
                said = (self.folder / "server.log").read_text()[-5000:]
                assert process.poll() is None, said
                assert time.monotonic() < limit, said
                time.sleep(0.2)

    def ask(self, path: str, body: dict | None = None) -> tuple[int, dict]:
        """Get from its API, or post to it."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(f"{self.url}{path}", data, headers)
        try:
            with self.session.open(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def post(self, path: str, body: dict) -> tuple[int, dict]:
        """Post to its API, as admin."""
        if not self.headers:
            password = (self.home / "admin_password").read_text()
            login = {"username": "admin", "password": password, "provider": "db"}
            _, answer = self.ask("/api/v1/security/login", login)
            self.headers = {"Authorization": f"Bearer {answer['access_token']}"}
            _, answer = self.ask("/api/v1/security/csrf_token/")
            self.headers |= {"X-CSRFToken": answer["result"], "Referer": self.url}
        return self.ask(path, body)

    def sql(self, query: str) -> tuple[int, dict]:
        """Run SQL as someone in its SQL Lab would."""
        return self.post(
            "/api/v1/sqllab/execute/",
            {"database_id": 1, "sql": query, "runAsync": False},
        )

    def looked_at(self, pictures: Path) -> dict[str, dict]:
        """What a browser sees of each dashboard."""
        pictures.mkdir(parents=True, exist_ok=True)
        looking = subprocess.run(
            [
                BIN / "python",
                Path(__file__).with_name("superset_browser.py"),
                *(CHROMIUM, self.url, self.home / "admin_password", pictures),
            ],
            capture_output=True,
            text=True,
            timeout=len(BOARDS) * PATIENCE,
        )
        assert looking.returncode == 0, looking.stderr[-5000:]
        return json.loads((pictures / "seen.json").read_text())


@pytest.fixture(scope="module")
def superset(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("superset")
    shutil.copytree(demo.published, folder / "published")
    made = Superset(folder, folder / "published")
    made.prepare()
    server = made.serve()
    yield made
    server.terminate()
    server.wait(timeout=60)


@pytest.fixture(scope="module")
def seen(superset):
    return superset.looked_at(PICTURES)


@pytest.fixture(scope="module")
def seen_of_nothing(superset, seen, tmp_path_factory):
    """The same, when the next version that is published has no row in any table."""
    empty = superset.folder / "empty.duckdb"
    with duckdb.connect(str(empty)) as database:
        database.execute(f"attach '{superset.file}' as full_one (read_only)")
        for (table,) in database.execute(
            "select table_name from duckdb_tables() where database_name = 'full_one'"
        ).fetchall():
            database.execute(f"create table {table} as from full_one.{table} limit 0")
        database.execute("detach full_one")
    full = superset.folder / "full.duckdb"
    os.rename(superset.file, full)
    os.rename(empty, superset.file)
    found = superset.looked_at(tmp_path_factory.mktemp("pictures_of_nothing"))
    os.rename(full, superset.file)
    return found


def charts(seen):
    """All charts that were seen, by dashboard and title."""
    return {
        (board, title): chart
        for board, page in seen.items()
        for title, chart in page["charts"].items()
    }


@pytest.mark.bi
@needs_superset
@needs_chromium
def test_every_chart_of_every_dashboard_has_rows(seen):
    assert set(charts(seen)) == {
        (board, chart["title"])
        for board, spec in BOARDS.items()
        for chart in spec["charts"].values()
    }
    for name, chart in charts(seen).items():
        assert chart["http"] == 200, (name, chart["message"])
        for answer in chart["answers"]:
            assert answer["status"] == "success", (name, answer["error"])
            assert not answer["error"], name
            assert answer["rowcount"] > 0, name


def errors_of(page):
    """What a page complained of, but for a counter elsewhere that it was kept from."""
    return [
        error
        for error in page["errors"]
        if not ("gateway.scarf.sh" in error and "Content Security Policy" in error)
    ]


@pytest.mark.bi
@needs_superset
@needs_chromium
@pytest.mark.parametrize("shop", ["seen", "seen_of_nothing"])
def test_no_dashboard_shows_an_error(shop, request):
    pages = request.getfixturevalue(shop)
    assert sorted(pages) == sorted(BOARDS)
    for board, page in pages.items():
        assert errors_of(page) == [], board
        assert page["alerts"] == [], board
        for sign in ("error", "Error", "went wrong"):
            assert f"Unexpected {sign}" not in page["text"], board
            assert f"{sign} occurred" not in page["text"], board
        for chart in page["charts"].values():
            assert [a["error"] for a in chart["answers"]] == [None], board
    if shop == "seen":
        assert not any("No results" in page["text"] for page in pages.values())


@pytest.mark.bi
@needs_superset
@needs_chromium
def test_pages_get_nothing_from_outside(seen):
    for board, page in seen.items():
        assert page["outside"] == [], board


@pytest.mark.bi
@needs_superset
@needs_chromium
def test_dashboards_show_what_marts_say(demo, seen):
    ((revenue, retention),) = demo.query("""
        select revenue_amount, monthly_retention_rate
        from fct_monthly_movement
        where is_mature
        order by calendar_month desc
        limit 1
    """)
    for title, label, expected in (
        ("Revenue", "Revenue", revenue),
        ("Monthly retention", "Retention", retention),
    ):
        rows = charts(seen)["overview", title]["answers"][0]["data"]
        assert float(rows[-1][label]) == pytest.approx(float(expected)), title
    assert f"{revenue:,.0f}" in seen["overview"]["text"]
    assert f"{retention:.1%}" in seen["overview"]["text"]
    tiers = demo.query("""
        select value_tier, count(*) from fct_customer_value group by all order by all
    """)
    rows = charts(seen)["overview", "How much of the value is with how few?"]
    rows = rows["answers"][0]["data"]
    assert sorted((row["Tier"], row["Customers"]) for row in rows) == tiers


@pytest.mark.bi
@needs_superset
@needs_chromium
def test_a_filter_acts_on_the_charts_that_have_its_column(seen):
    filtered = {
        title
        for (board, title), chart in charts(seen).items()
        if {"col": "segment_type", "op": "IN", "val": ["rfm_segment"]}
        in chart["filters"]
    }
    assert filtered == {BOARDS["segments"]["charts"]["segments"]["title"]}


@pytest.mark.bi
@needs_superset
def test_whoever_may_write_sql_can_only_read_the_published_file(superset):
    status, answer = superset.sql("select count(*) as customers from dim_customers")
    assert status == 200, answer
    assert answer["data"][0]["customers"] > 0
    secret = superset.home / "admin_password"
    for query in (
        f"select * from read_text('{secret}')",
        "set enable_external_access = true",
        f"attach '{superset.home / 'superset.db'}' as own (type sqlite)",
        "create table mine as select 1 as one",
        "drop table dim_customers",
    ):
        status, answer = superset.sql(query)
        assert status >= 400, (query, answer)
        assert secret.read_text() not in json.dumps(answer), query


@pytest.mark.bi
@needs_superset
def test_secrets_are_the_owners_alone_and_stay(superset):
    for name in ("secret_key", "admin_password"):
        assert (superset.home / name).stat().st_mode & 0o777 == 0o600, name
        assert len((superset.home / name).read_text()) >= 32, name
    assert superset.home.stat().st_mode & 0o777 == 0o700


@pytest.mark.bi
@needs_superset
def test_without_a_published_file_it_says_to_build(tmp_path):
    result = Superset(tmp_path, tmp_path / "nothing is published here")
    made = subprocess.run(
        result.command("prepare"),
        cwd=REPOSITORY,
        env=result.variables,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 1
    assert "make build" in made.stderr
    assert not result.home.exists()


@pytest.mark.bi
@needs_superset
def test_assets_for_another_superset_name_the_file_as_it_sees_it(tmp_path):
    subprocess.run(
        Superset(tmp_path, tmp_path).command(
            "assets", "/data/customer_lifetime.duckdb", str(tmp_path / "assets")
        ),
        cwd=REPOSITORY,
        check=True,
    )
    (database,) = (tmp_path / "assets" / "databases").glob("*.yaml")
    uri = yaml.safe_load(database.read_text())["sqlalchemy_uri"]
    assert uri == "duckdb:////data/customer_lifetime.duckdb"
    ours = {p.relative_to(superset_assets.ASSETS) for p in assets_in_repository()}
    assert {
        p.relative_to(tmp_path / "assets") for p in tmp_path.rglob("*.yaml")
    } == ours


def test_the_exposure_names_what_the_dashboards_read():
    """Lineage, and the rule that every final table has a reader, rely on it."""
    exposures = yaml.safe_load(
        (REPOSITORY / "models/marts/_marts__exposures.yml").read_text()
    )["exposures"]
    (named,) = (e["depends_on"] for e in exposures if e["name"] == "superset")
    read = set()
    for path in assets_in_repository():
        if path.parent.name == superset_assets.DATABASE:
            table = yaml.safe_load(path.read_text())
            read |= set(re.findall(r"\b(?:fct|dim)_\w+", table["sql"] or path.stem))
    assert set(named) == {f"ref('{name}')" for name in read}


def assets_in_repository():
    """The files of dashboards/superset/assets."""
    return [*superset_assets.ASSETS.rglob("*.yaml")]
