"""`make docs`: every final table is documented and every column traced, offline."""

import base64
import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from conftest import CHROMIUM, REPOSITORY, needs_chromium

PAGES = ("index.html", "tables.html", "columns.html")
# what a page would fetch by itself
FETCHED = re.compile(
    r"""<(?:script|link|img|iframe|source)\b[^>]*?\s(?:src|href)=["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+["']?(?:https?:)?//"""
)
# in Chromium's log: what a page asks for, not what the browser does by itself
ASKED = re.compile(r'\{site=file://;[^"]*","url":"((?:https?|wss?)://[^"]+)"')
# of every page: what it shows only when its scripts have run
SHOWN = {
    "index.html": "from any column back to the raw",
    "tables.html": "The folders are questions",
    "tables.html#!/model/model.customer_lifetime.fct_customer_value": (
        "One row per customer with a purchase by the live cutoff"
    ),
    "columns.html?model=model.customer_lifetime.dim_products": "unit_cost_amount",
}
MODEL = "model.customer_lifetime."
pytestmark = [
    pytest.mark.bi,
    pytest.mark.skipif(
        not (REPOSITORY / ".venv-docs").exists(), reason="make test-bi makes it"
    ),
]


@pytest.fixture(scope="module")
def site(demo_bench, tmp_path_factory) -> Path:
    """What `make docs` makes of the demo shop."""
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [sys.executable, "scripts/docs_site.py", str(folder)],
        cwd=REPOSITORY,
        env=demo_bench,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "ERROR" not in run.stdout + run.stderr  # of a model that was not traced
    assert "Published" not in run.stdout
    return folder


def documented(site: Path) -> tuple[dict, dict]:
    """The manifest and the catalogue inside dbt's page."""
    html = (site / "tables.html").read_text()
    decode = json.JSONDecoder().raw_decode
    manifest, end = decode(html, html.index("{manifest:{") + len("{manifest:"))
    catalog, _ = decode(html, html.index("catalog:{", end) + len("catalog:"))
    return manifest, catalog


def test_every_table_and_column_is_documented(site):
    manifest, catalog = documented(site)
    tables = {
        name: node
        for name, node in catalog["nodes"].items()
        if node["metadata"]["schema"] == "main"
    }
    finals = {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["access"] == "public"
    }
    assert set(tables) == finals and len(finals) > 60
    for name, table in tables.items():
        described = manifest["nodes"][name]
        assert described["description"] and described["docs"]["node_color"], name
        for column in table["columns"]:
            assert described["columns"][column]["description"], (name, column)


def test_the_overview_leads_to_what_there_is(site):
    manifest, _ = documented(site)
    overview = manifest["docs"]["doc.customer_lifetime.__overview__"]["block_contents"]
    assert overview.startswith("# Customer lifetime warehouse")
    links = re.findall(r"\]\(([^)]+)\)", overview)
    assert len(links) > 30
    for link in links:
        if link.startswith("#!"):
            kind, name = link.split("/")[1:]
            assert name in manifest[{"model": "nodes"}.get(kind, f"{kind}s")], link
        else:
            assert (site / link.partition("?")[0]).exists(), link
    folders = {
        Path(node["path"]).parent.name
        for node in manifest["nodes"].values()
        if node["path"].startswith("marts/") and node["resource_type"] == "model"
    }
    for folder in folders:
        assert f"\n| {folder} | " in overview, folder


def test_a_column_is_traced_to_the_raw_ones(site):
    html = (site / "columns.html").read_text()
    packed = re.search(r'window\.colibriData = JSON\.parse\(atob\("([^"]+)"', html)[1]
    edges = json.loads(base64.b64decode(packed))["lineage"]["edges"]
    parents = defaultdict(set)
    for edge in edges:
        if not edge.get("edgeType"):  # values, not joins and filters
            target = edge["target"], edge["targetColumn"]
            parents[target].add((edge["source"], edge["sourceColumn"]))

    def raw(table: str, column: str) -> set[str]:
        seen, open_ = set(), {(MODEL + table, column)}
        while open_:
            seen |= open_
            open_ = {y for x in open_ for y in parents[x]} - seen
        source = "source.customer_lifetime.shop."
        return {
            f"{name.removeprefix(source)}.{column}"
            for name, column in seen
            if name.startswith(source)
        }

    assert raw("dim_customers", "country") == {"customers.country"}
    assert raw("fct_channel_months", "cac_amount") == {"marketing_spend.amount"}
    # fct_orders is incremental: it reads itself, and is traced all the same
    assert raw("fct_customer_value", "historic_revenue_amount") == {
        "orders.amount",
        "orders.currency",
        "orders.refund_amount",
    }


def test_the_pages_ask_for_nothing_from_outside(site):
    for page in PAGES:
        html = (site / page).read_text()
        assert not FETCHED.search(html), (page, FETCHED.search(html)[0])
        assert str(REPOSITORY) not in html, page
    assert "window.colibriTelemetry = false;" in (site / "columns.html").read_text()


@needs_chromium
@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.split(".")[0])
def test_a_browser_without_a_network_shows_them(page, site, tmp_path):
    log = tmp_path / "net.json"
    run = subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--log-net-log={log}",
            "--virtual-time-budget=20000",
            *("--dump-dom", f"file://{site / page}"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    shown = re.sub(r"<script\b.*?</script>", "", run.stdout, flags=re.DOTALL)
    assert SHOWN[page] in shown
    assert not ASKED.findall(log.read_text())
