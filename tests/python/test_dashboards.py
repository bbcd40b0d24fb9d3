"""The boards of dashboards/boards, rendered as `make dashboards` does.

dbt-charts has an environment of its own, which `make test` makes; without it the tests
that render are skipped. A shop that has orders only is `make test-bi`'s.
"""

import os
import re
import shutil
import subprocess

import duckdb
import pytest
import yaml
from conftest import DEMO, REPOSITORY

BIN = REPOSITORY / ".venv-boards" / "bin"
PROJECT = REPOSITORY / "dashboards" / "boards"
BOARDS = sorted(p.stem for p in PROJECT.glob("charts/*.yml") if p.stem != "meta")

needs_dct = pytest.mark.skipif(
    not (BIN / "dct").exists(), reason="make .venv-boards makes the environment"
)


def rendered(warehouse, published, folder):
    """Render all boards of a shop; return each page by its board's name."""
    variables = os.environ | {
        "CLV_WAREHOUSE": str(warehouse.path),
        "CLV_PUBLISHED": str(published),
    }
    result = subprocess.run(
        [BIN / "python", "scripts/dashboards.py", "render", "--output", folder],
        cwd=REPOSITORY,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {page.stem: page.read_text() for page in folder.glob("*.html")}


@pytest.fixture(scope="module")
def pages(demo, tmp_path_factory):
    return rendered(demo, demo.published, tmp_path_factory.mktemp("demo_pages"))


@pytest.fixture(scope="module")
def orders_only(workbench, tmp_path_factory):
    """A shop of which nothing but the four required columns is known."""
    from conftest import Warehouse

    folder = tmp_path_factory.mktemp("orders_only")
    duckdb.execute(f"""
        copy (
            select order_id, customer_id, ordered_at, amount
            from read_csv('{DEMO}/orders.csv', all_varchar = true)
            where customer_id < 'C0200'
        ) to '{folder}/orders.csv'
    """)
    warehouse = Warehouse(folder / "orders_only.duckdb", workbench)
    return warehouse.build(inputs=folder)


@pytest.fixture(scope="module")
def bare_pages(orders_only, tmp_path_factory):
    """From the warehouse itself, as before anything was published."""
    folder = tmp_path_factory.mktemp("bare_pages")
    return rendered(orders_only, folder / "nothing is here", folder)


def texts(html):
    """All texts that a page shows."""
    return set(re.findall(r"<t(?:ext|span)[^>]*>([^<]*)(?=<)", html))


@needs_dct
@pytest.mark.parametrize(
    "shop", ["pages", pytest.param("bare_pages", marks=pytest.mark.bi)]
)
def test_every_board_is_a_page_without_errors(shop, request):
    rendered_pages = request.getfixturevalue(shop)
    assert sorted(rendered_pages) == BOARDS
    for name, html in rendered_pages.items():
        assert "ERR-" not in html, name


@needs_dct
def test_pages_ask_for_nothing_from_outside(pages):
    """No address of another host, but for the names of SVG's and XLink's grammar."""
    for name, html in pages.items():
        assert set(re.findall(r"https?://[\w./-]*", html)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }, name
        for way in ("<link", "<iframe", "@import", "fetch(", "XMLHttpRequest"):
            assert way not in html, (name, way)
        loaded = r"""(?:src=|url\()(?:&quot;|["'])?(?!data:|#)[\w/.]"""
        assert not re.search(loaded, html), name


@needs_dct
def test_links_lead_to_pages(pages):
    for name, html in pages.items():
        links = set(re.findall(r'<a [^>]*href="([^"]*)"', html))
        assert links == {f"{board}.html" for board in BOARDS}, name


@needs_dct
def test_boards_show_what_marts_say(demo, pages):
    ((revenue, retention),) = demo.query("""
        select
            format('{:,.0f}', revenue_amount::double),
            format('{:.1f}', 100 * monthly_retention_rate)
        from fct_monthly_movement
        where is_mature
        order by calendar_month desc
        limit 1
    """)
    assert {revenue, retention} <= texts(pages["overview"])
    ((residual,),) = demo.query("""
        select format('{:,.0f}', sum(residual_value_amount)::double)
        from fct_customer_value
    """)
    assert residual in texts(pages["value"])


@pytest.mark.bi
@needs_dct
def test_cells_of_incomplete_months_are_blank(orders_only, bare_pages):
    """Its last order is not of a month's last day, so the last months are not over."""
    ((mature, immature),) = orders_only.query("""
        select count(*) filter (where is_mature), count(*) filter (where not is_mature)
        from fct_cohort_retention
        where months_since_cohort > 0
    """)
    assert immature > 0
    cells = re.findall(r'data-dct-role="rect" aria-label="', bare_pages["retention"])
    assert len(cells) == mature


@pytest.mark.bi
@needs_dct
def test_what_an_input_is_needed_for_says_so(pages, bare_pages):
    for board, needed in (
        ("overview", "marketing_spend"),
        ("acquisition", "marketing_spend"),
        ("retention", "subscriptions"),
        ("strategy", "experiments"),
    ):
        assert f"It needs the input {needed}" in bare_pages[board], board
        assert "It needs" not in pages[board], board


@needs_dct
def test_a_column_that_is_not_there_fails(demo, pages, tmp_path):
    copy = tmp_path / "boards"
    shutil.copytree(PROJECT, copy)
    config = (copy / "dbt_charts.yml").read_text()
    (copy / "dbt_charts.yml").write_text(config.replace("../..", str(REPOSITORY)))
    board = copy / "charts" / "quality.yml"
    board.write_text(board.read_text().replace("raw_row_count", "raw_rows_count"))
    result = subprocess.run(
        [
            BIN / "dct",
            "render",
            board,
            *("--project-dir", copy),
            *("--format", "html", "--output", tmp_path / "page.html"),
        ],
        env=os.environ
        | {
            "CLV_BOARDS_FILE": str(demo.path),
            "DBT_TARGET_PATH": "target-boards",
            "DO_NOT_TRACK": "1",
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "raw_rows_count" in result.stderr


def test_the_exposure_names_what_the_boards_read():
    """Lineage, and the rule that every final table has a reader, rely on it."""
    exposures = yaml.safe_load(
        (REPOSITORY / "models/marts/_marts__exposures.yml").read_text()
    )["exposures"]
    (named,) = (e["depends_on"] for e in exposures if e["name"] == "boards")
    boards = "".join(p.read_text() for p in sorted(PROJECT.glob("charts/*.yml")))
    assert set(named) == set(re.findall(r"ref\('\w+'\)", boards))
