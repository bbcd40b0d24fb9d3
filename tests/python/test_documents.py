"""What the documents say to type works, and gives the answers printed below it.

Queries run on the demo shop. Of each shell command it is known who runs it: this file,
or what `RUN_BY` names. Links, tables, tests and targets of make that are named exist.
Two pages are followed word for word in a folder of their own, by `make test-faults`.

``python tests/python/test_documents.py [warehouse] [page ...]`` prints the answers of
queries anew, after a build of the demo shop.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import DBT_SETTINGS, REPOSITORY

PAGES = sorted(
    page.relative_to(REPOSITORY).as_posix()
    for folder in (".", "docs", "examples", "benchmarks", "seeds/demo")
    for page in (REPOSITORY / folder).glob("*.md")
)
# A block, with the answer or output printed right below it
BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<text>(?:(?!```).)*?)^```"
    r"(?:\n```text\n(?P<answer>(?:(?!```).)*?)^```)?",
    re.DOTALL | re.MULTILINE,
)
# Followed as a whole, each by a test below: their queries are of another warehouse
FOLLOWED = (
    "docs/getting-started.md",
    "docs/adding-an-input.md",
    "docs/changing-definitions.md",
)
# Published data sets, in the form of the files but with one row
DATA_SETS = {
    "online_retail_II_2009_2010.parquet": """
        select '489434' as "Invoice", '85048' as "StockCode", 'LIGHTS' as "Description",
        12 as "Quantity", '2009-12-01 07:45:00' as "InvoiceDate", 6.95 as "Price",
        13085.0 as "Customer ID", 'United Kingdom' as "Country"
    """,
    "telco_customer_churn.csv": """
        select '7590-VHVEG' as "customerID", 'Female' as gender, 1 as tenure,
        'DSL' as "InternetService", 'Month-to-month' as "Contract",
        'Mailed check' as "PaymentMethod", 29.85 as "MonthlyCharges", 'No' as "Churn"
    """,
    "hillstrom.csv": """
        select 10 as recency, 142.44 as history, 1 as mens, 0 as womens,
        'Surburban' as zip_code, 0 as newbie, 'Phone' as channel,
        'Womens E-Mail' as segment, 0 as visit, 0 as conversion, 0 as spend
    """,
}
# Commands that are run here: they are quick, and change nothing but their own folder
RUN_HERE = re.compile(
    r"\.venv/bin/python scripts/prepare_example\.py .*"
    r"|\.venv/bin/python -c .*published/customer_lifetime\.duckdb.*"
)
# Commands that take too long, or change too much: a pattern of the whole command, and
# what runs it: a test, a target of make, or nobody, with the reason
RUN_BY = {
    r"make (build|test|test-\w+)": "nobody: where people and .ci/run begin",
    r"make dashboards": "test_dashboards.py",
    r"make (ducklake|\.venv-spark|compile-engines)": (
        "nobody: makes an environment of its own first"
    ),
    r"make serve-\w+": "nobody: serves until it is stopped",
    r"make forget .*": "test_forget.py",
    r"make update": "test_update.py",
    r"make superset": "test_superset.py",
    r"\.venv/bin/python scripts/superset_home\.py assets .*": "test_superset.py",
    r"superset import-directory .*": "test_superset.py",
    r"export CLV_SERVING_COPY=.*|make serving-copy": "test_serving_copy.py",
    r"python3 -m venv \S+|\.venv\S*/bin/pip install .*": "make build",
    # builds
    r"\.venv/bin/dbt build --exclude-resource-type unit_test": "make build",
    r"\.venv/bin/dbt build --selector daily .*": "test_rescoring.py",
    r"\.venv/bin/dbt build --vars '\{orders_maximum_age_days: .*": "test_watching.py",
    r"CLV_INPUT=path/to/folder .*dbt build .*": "test_documents.py",
    r"CLV_INPUT=input/cdnow .*dbt build .*": "test_value_warehouse.py",
    r"CLV_INPUT=input/telco .*dbt build .*": "test_churn_model.py",
    r"CLV_INPUT=input/(retail|hillstrom) .*dbt build .*": (
        "nobody: the files are not delivered with the project"
    ),
    r"\.venv/bin/mf .*": "test_semantic_layer.py",
    # other engines
    r"export CLV_LAKE_\w+=.*|\.venv/bin/dbt build --target ducklake": (
        "make test-ducklake"
    ),
    r"(CLV_\w+=\S+ )*\.venv-spark/bin/.*": "make test-spark",
    r"\.venv/bin/python benchmarks/\w+\.py .*": "nobody: takes minutes to hours",
}
# SQL for another engine, by its first words
SQL_RUN_BY = {
    "attach 'ducklake:postgres:": "make test-ducklake",
    "select max(snapshot_id) from ducklake_snapshots": "make test-ducklake",
    "call ducklake_expire_snapshots": "nobody: snapshots expire after a week",
}
# Examples of settings in a profile, and drawings, have nothing to run


@dataclass(frozen=True)
class Block:
    """A block of a page."""

    page: str
    language: str
    text: str
    answer: str | None


def blocks(*languages: str) -> list[Block]:
    """All blocks of some languages, of all pages in the order of the pages."""
    return [
        Block(page, *found.group("language", "text", "answer"))
        for page in PAGES
        for found in BLOCK.finditer((REPOSITORY / page).read_text())
        if found["language"] in languages
    ]


def commands(text: str) -> list[str]:
    """The commands of a block: lines that go on are joined, comments left out."""
    lines = re.sub(r" *\\\n *", " ", text).splitlines()
    found = [re.sub(r"(^|\s+)#(?!\S).*", "", line).strip() for line in lines]
    return [line for line in found if line]


def commands_of(*pages: str) -> list[str]:
    """All commands of some pages."""
    return [
        command
        for block in blocks("sh")
        if block.page in pages
        for command in commands(block.text)
    ]


def table(result: duckdb.DuckDBPyConnection) -> str:
    """The result of a query as a plain table."""
    rows = [[column[0] for column in result.description]]
    rows += [
        ["" if value is None else str(value) for value in row]
        for row in result.fetchall()
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        .rstrip()
        + "\n"
        for row in rows
    )  # fmt: skip


def answer(warehouse: Path, sql: str) -> str:
    """The answer of a warehouse."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return table(connection.execute(sql))


def project(folder: Path, published: Path | None = None) -> Path:
    """A folder as it is after cloning and installing: a copy of what commands read."""
    # no Makefile: its rule for .venv would empty the environment that is linked here
    left_out = {"warehouse", "exports", "input", "target", "logs", "Makefile"}
    for path in REPOSITORY.iterdir():
        if path.name in left_out or path.name.startswith((".", "target-")):
            continue
        if path.is_dir():
            shutil.copytree(
                path,
                folder / path.name,
                ignore=shutil.ignore_patterns("__pycache__", "html", "spark"),
            )
        else:
            shutil.copy(path, folder)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "exports").mkdir()
    (folder / "warehouse").mkdir()
    if published:
        (folder / "warehouse" / "published").symlink_to(published)
    return folder


def shell(
    command: str, folder: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would; its output is what both streams say."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS},
            **{"DBT_SEND_ANONYMOUS_USAGE_STATS": "0", "DBT_USE_COLORS": "0"},
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
    )


# -- Queries ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", sorted({block.page for block in blocks("sql")} - {*FOLLOWED})
)
def test_queries_give_the_answers_below_them(demo, page):
    """One connection per page; a query without an answer must run."""
    asked = [block for block in blocks("sql") if block.page == page]
    elsewhere = tuple(SQL_RUN_BY)
    with duckdb.connect(str(demo.path), read_only=True) as connection:
        for block in asked:
            if not block.text.startswith(elsewhere):
                result = table(connection.execute(block.text))
                assert block.answer in (None, result), block.text


def test_what_is_worked_out_by_hand_is_what_the_warehouse_says():
    """Answers with a column by_hand have the same number in the column after it."""
    compared = 0
    for block in blocks("sql"):
        rows = [re.split(r"  +", row) for row in (block.answer or "").splitlines()]
        if rows and "by_hand" in rows[0]:
            place = rows[0].index("by_hand")
            for row in rows[2:]:
                assert row[place] == row[place + 1], block.text
                compared += 1
    assert compared == 7


# -- Commands --------------------------------------------------------------------------


def test_each_command_is_run_by_somebody():
    """And nothing is listed that no page has."""
    patterns = [RUN_HERE.pattern, *RUN_BY]
    used = set()
    for page in PAGES:
        for command in commands_of(page):
            if page in FOLLOWED:
                continue
            fitting = [x for x in patterns if re.fullmatch(x, command)]
            assert fitting, f"{page}: {command}: run it in a test, or name it in RUN_BY"
            used.update(fitting)
    assert used == {*patterns}
    makefile = (REPOSITORY / "Makefile").read_text()
    for runner in [*RUN_BY.values(), *SQL_RUN_BY.values()]:
        kind, _, name = runner.partition(" ")
        assert (
            kind == "nobody:"
            or (REPOSITORY / "tests" / "python" / runner).exists()
            or (kind == "make" and f"\n{name}:" in makefile)
        ), runner
    texts = [block.text for block in blocks("sql")]
    assert all(any(text.startswith(x) for text in texts) for x in SQL_RUN_BY)
    languages = {
        found["language"]
        for page in PAGES
        for found in BLOCK.finditer((REPOSITORY / page).read_text())
    }
    # a new language needs somebody to run it, as test_serving_copy.py runs psql
    run = {"sh", "sql", "python", "diff", "psql"}
    assert languages <= {*run, "text", "json", "yaml", ""}


def test_dbt_knows_each_command_of_its_own():
    """The options exist, and so do the settings."""
    from dbt.cli.main import cli

    settings = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["vars"]
    found = [
        words[words.index(name) + 1 :]
        for page in PAGES
        for words in map(shlex.split, commands_of(page))
        for name in words
        if name.endswith("/bin/dbt")
    ]
    assert len(found) > 5
    for name, *arguments in found:
        # what a command does not know is an error here; nothing is run
        context = cli.commands[name].make_context(name, arguments)
        given = context.params.get("vars") or {}
        assert {*given} <= {*settings}, arguments


def test_quick_commands_run(demo, tmp_path):
    folder = project(tmp_path, demo.published)
    for name, sql in DATA_SETS.items():
        duckdb.execute(f"copy ({sql}) to '{folder / name}'")
    found = [x for page in PAGES for x in commands_of(page) if RUN_HERE.fullmatch(x)]
    assert found
    together = "\n".join(["set -e", *found])
    result = shell(together, folder)
    assert result.returncode == 0, result.stdout


def test_changes_in_the_documents_fit_the_files():
    found = blocks("diff")
    assert found
    for block in found:
        command = ["git", "apply", "--check", "-"]
        fits = subprocess.run(
            command, cwd=REPOSITORY, input=block.text, text=True, capture_output=True
        )
        assert fits.returncode == 0, f"{block.page}: {fits.stderr}"


def test_python_in_the_documents_runs(demo, tmp_path):
    folder = project(tmp_path, demo.published)
    found = blocks("python")
    assert found
    for block in found:
        result = subprocess.run(
            [sys.executable, "-c", f"import duckdb\n{block.text}"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, f"{block.page}: {result.stderr}"


# -- Names -----------------------------------------------------------------------------


def prose(page: str) -> str:
    """A page without its blocks."""
    return BLOCK.sub("", (REPOSITORY / page).read_text())


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        for title in titles
    }


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page):
    text = prose(page)
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        linked = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target
    models = {
        path.stem
        for folder in ("models", "python_models")
        for path in (REPOSITORY / folder).rglob("*.*")
    }
    spans = re.findall(r"`([^`\n]+)`", text)
    for span in spans:
        for name in re.findall(r"\b(?:fct|dim|int|ml|stg|base)_\w+\b", span):
            # base_shop__x stands for any
            assert name in models or name.endswith(("_", "__x")), name
        for name in re.findall(r"\btest_\w+\.py\b", span):
            assert [*REPOSITORY.rglob(f"tests/**/{name}")], name
    makefile = (REPOSITORY / "Makefile").read_text()
    for span in [*spans, *commands_of(page)]:
        for target in re.findall(r"^make ([\w.-]+)", span):
            assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), span


def test_the_tests_that_guard_against_mistakes_exist():
    named = re.findall(
        r"^\| [^|]+ \| `(\w+)` \|$",
        (REPOSITORY / "docs" / "faq.md").read_text(),
        re.MULTILINE,
    )
    assert len(named) == 15
    files = [*REPOSITORY.glob("tests/python/*.py"), *REPOSITORY.glob("models/**/*.yml")]
    written = "\n".join(file.read_text() for file in files)
    for name in named:
        pattern = rf"^def {name}\(|^  - name: {name}$"
        assert re.search(pattern, written, re.MULTILINE), name


# -- Pages followed word for word ------------------------------------------------------


@pytest.fixture(scope="module")
def cloned(demo, tmp_path_factory) -> Path:
    """The project, with the demo shop built, under the name that it was built by."""
    folder = project(tmp_path_factory.mktemp("cloned"))
    shutil.copy(demo.path, folder / "warehouse.duckdb")
    return folder


def follow(page: str, folder: Path, warehouse: str, **variables: str) -> None:
    """Do what a page says, from its first block to its last."""
    for block in BLOCK.finditer((REPOSITORY / page).read_text()):
        language, text, printed = block.group("language", "text", "answer")
        if language == "diff":
            subprocess.run(
                ["git", "apply", "-"], input=text, text=True, cwd=folder, check=True
            )
        elif language == "sql":
            assert answer(folder / warehouse, text) == printed, text
        elif language == "sh":
            # installing is what everybody has done who runs tests
            lines = [x for x in commands(text) if not x.startswith("make ")]
            result = shell("\n".join(["set -e", *lines]), folder, **variables)
            if printed is None:
                assert result.returncode == 0, f"{text}\n{result.stdout[-3000:]}"
            else:
                for line in printed.splitlines():
                    assert line.strip() in result.stdout, f"{text}\n{result.stdout}"


@pytest.mark.faults
def test_your_own_data_in_ten_minutes(cloned):
    follow("docs/getting-started.md", cloned, "warehouse/shop.duckdb")


@pytest.mark.faults
def test_definitions_are_changed_as_described(cloned):
    follow(
        "docs/changing-definitions.md",
        cloned,
        "warehouse.duckdb",
        CLV_WAREHOUSE="warehouse.duckdb",
    )


@pytest.mark.faults
def test_a_column_is_added_as_described(cloned):
    follow("docs/adding-an-input.md", cloned, "warehouse/loyalty.duckdb")


# -- The handbook ----------------------------------------------------------------------


def described(pattern: str) -> dict[str, tuple[Path, str]]:
    """Doc blocks by name, with their file and text."""
    return {
        name: (path, text)
        for path in REPOSITORY.glob(pattern)
        for name, text in re.findall(
            r"{% docs (\w+) %}(.*?){% enddocs %}", path.read_text(), re.DOTALL
        )
    }


def test_the_handbook_leads_from_questions_to_definitions():
    """To a column, its metric and its block; and all of docs/metrics.md."""
    columns = {
        f"{model['name']}.{column['name']}": column["description"]
        for path in REPOSITORY.glob("models/marts/**/*.yml")
        for model in yaml.safe_load(path.read_text()).get("models") or []
        for column in model["columns"]
    }
    handbook = REPOSITORY / "docs" / "handbook.md"
    rows = re.findall(
        r"^\|[^|]+\| `([\w.]+)` \| *(?:`(\w+)` )?\| \[(?:`(\w+)`|the column)\]"
        r"\(([^)]+)\) \|$",
        handbook.read_text(),
        re.MULTILINE,
    )
    definitions = described("models/**/_*docs.md")
    for column, metric, name, link in rows:
        assert column in columns, column
        if name:
            path, _ = definitions[name]
            assert (handbook.parent / link).resolve() == path, name
            own = f'doc("{name}")' in columns[column]
            assert own or name == f"metric__{metric}", column
    lines = handbook.read_text().count("\n| ")
    headers = handbook.read_text().count("| question |")
    assert len(rows) == lines - headers
    named = [metric for _, metric, _, _ in rows if metric]
    metrics = (REPOSITORY / "docs" / "metrics.md").read_text()
    assert sorted(named) == sorted(re.findall(r"^\| `(\w+)` \|", metrics, re.MULTILINE))


def test_every_metric_says_formula_window_and_null():
    """And what is divided by what, if something is, and which table says the same."""
    metrics = (REPOSITORY / "docs" / "metrics.md").read_text()
    definitions = described("models/semantic/_semantic__docs.md")
    for name in re.findall(r"^\| `(\w+)` \|", metrics, re.MULTILINE):
        _, text = definitions[f"metric__{name}"]
        parts = set(re.findall(r"^- (\w+):", text, re.MULTILINE))
        formula = re.search(r"^- Formula: (.*?)(?=^- )", text, re.MULTILINE | re.DOTALL)
        needed = {"Formula", "Window", "NULL", "Table"}
        if formula and " / " in formula[1]:
            needed |= {"Numerator", "Denominator"}
        assert needed <= parts, (name, needed - parts)


# -- Printing the answers anew ---------------------------------------------------------


def update(warehouse: Path, pages: list[str]) -> None:
    """Print the answers of a warehouse below the queries of some pages."""

    def printed(block: re.Match[str]) -> str:
        if block["language"] != "sql" or block["answer"] is None:
            return block[0]
        found = answer(warehouse, block["text"])
        return f"```sql\n{block['text']}```\n```text\n{found}```"

    for page in pages:
        path = REPOSITORY / page
        path.write_text(BLOCK.sub(printed, path.read_text()))


if __name__ == "__main__":
    update(
        Path(*sys.argv[1:2] or ["warehouse/customer_lifetime.duckdb"]),
        sys.argv[2:] or [page for page in PAGES if page not in FOLLOWED],
    )
