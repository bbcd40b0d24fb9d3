"""What the tests share: building warehouses as a user does, and reading them."""

import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import duckdb
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[2]
# The longest first, so that no process is left with them at the end; one that builds
# the demo shop and one that does not need it come first of all.
LONGEST = (
    "test_whole_builds",
    "test_incremental",
    "test_value_warehouse",
    "test_inputs",
)
DBT = Path(sys.executable).with_name("dbt")
DEMO = REPOSITORY / "seeds" / "demo"
# what the user of the machine has set is not the tests'
DBT_SETTINGS = ("CLV_", "DBT_")
# what the project's settings change when dbt parses it; all else they change as it runs
PARSED_SETTINGS = (
    "discount_rate_annual",
    "inputs_maximum_volume_z_score",
    "segment_minimum_customers",
)
CALLS_APART = "\n-- next call\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    items.sort(
        key=lambda item: (
            LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST)
        )
    )


def python_model(name: str) -> ModuleType:
    """A module of python_models, by its path: dbt reads them, nothing imports them."""
    path = REPOSITORY / "python_models" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look themselves up there
    specification.loader.exec_module(module)
    return module


@dataclass
class Result:
    """What a dbt command said."""

    returncode: int
    output: str

    @property
    def succeeded(self) -> bool:
        """Whether dbt was content."""
        return self.returncode == 0


@cache
def dbt_forks() -> subprocess.Popen:
    """The process that has dbt loaded; it ends with the tests."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("dbt_forks.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_dbt(
    arguments: list[str],
    environment: dict[str, str],
    said: Path,
    folder: Path = REPOSITORY,
    meanwhile: Callable[[int], None] | None = None,
    parse: list[str] | None = None,
) -> Result:
    """Run a dbt command in a project's folder; what it says goes to a file first.

    `meanwhile` is called with the number of the process, to do something to it.
    Commands with the same `parse`, arguments of `dbt parse`, share what it parsed.
    """
    process = dbt_forks()
    command = {
        "arguments": arguments,
        "environment": environment,
        "folder": str(folder),
        "output": str(said),
        "parse": parse,
    }
    process.stdin.write(json.dumps(command) + "\n")
    process.stdin.flush()
    child = int(process.stdout.readline())
    if meanwhile:
        meanwhile(child)
    code = int(process.stdout.readline())
    return Result(code, said.read_text())


class MacroProject:
    """A dbt project that has nothing but this one's macros, and a warehouse.

    Its models call macros; `warehouse` is the file they read from and are built in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warehouse = folder / "warehouse.duckdb"
        project = {
            "name": "customer_lifetime",
            "profile": "macros",
            "macro-paths": [str(REPOSITORY / "macros")],
            "models": {"+materialized": "table"},
            "flags": {
                "send_anonymous_usage_stats": False,
                "warn_error_options": {
                    "error": ["InvalidMacroAnnotation", "MacroNotFoundForPatch"]
                },
            },
        }
        output = {"type": "duckdb", "path": str(self.warehouse), "threads": 2}
        profile = {"macros": {"target": "duckdb", "outputs": {"duckdb": output}}}
        (folder / "models").mkdir(parents=True)
        # JSON is YAML
        (folder / "dbt_project.yml").write_text(json.dumps(project))
        (folder / "profiles.yml").write_text(json.dumps(profile))

    def run(self, models: dict[str, str], settings: dict | None = None) -> Result:
        """Build models, given as name and SQL."""
        for name, sql in models.items():
            (self.folder / "models" / f"{name}.sql").write_text(sql)
        environment = {k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS}
        return run_dbt(
            ["--no-use-colors", "run", "--vars", json.dumps(settings or {})],
            environment,
            self.folder / "said",
            self.folder,
        )

    def tables(
        self, models: dict[str, str], settings: dict | None = None
    ) -> dict[str, pd.DataFrame]:
        """Build models, which must succeed, and read their tables."""
        result = self.run(models, settings)
        assert result.succeeded, result.output
        with duckdb.connect(str(self.warehouse), read_only=True) as database:
            return {name: database.table(name).df() for name in models}

    def results(self) -> dict[str, dict]:
        """What dbt wrote of each model of the last run."""
        written = json.loads((self.folder / "target" / "run_results.json").read_text())
        return {x["unique_id"].rsplit(".", 1)[1]: x for x in written["results"]}

    def rendered(
        self, calls: Iterable[str], others: dict[str, str] | None = None
    ) -> list[str]:
        """Render calls of macros to SQL; other models may be run along with them."""
        # the calls stand in a comment: the model itself always runs
        inside = CALLS_APART.join(["", *(f"{{{{ {call} }}}}" for call in calls), ""])
        model = f"{{% if execute %}}/*{inside}*/{{% endif %}}select 1 as one"
        run = self.run({"calls": model} | (others or {}))
        assert run.succeeded or others, run.output
        calls_run = self.results()["calls"]
        assert calls_run["status"] == "success", calls_run["message"]
        sql = calls_run["compiled_code"].split(CALLS_APART)[1:-1]
        return [text.strip() for text in sql]


def move_database(path: Path, to: Path) -> None:
    """Move a DuckDB file, if it exists, with the log that a killed process leaves."""
    for ending in ("", ".wal"):
        if Path(f"{path}{ending}").exists():
            shutil.move(f"{path}{ending}", f"{to}{ending}")


class Warehouse:
    """A DuckDB file that dbt builds and tests read.

    Every build runs on one path, so that dbt parses the project once per session; the
    file is moved there and back.
    """

    def __init__(self, path: Path, workbench: Path, project: Path = REPOSITORY) -> None:
        self.path = path
        self.workbench = workbench
        self.project = project
        self.exports = path.with_suffix(".exports")
        self.published = path.with_suffix(".published")

    def target(self, settings: dict | None = None) -> Path:
        """Where dbt keeps what it parsed, which depends on the settings."""
        parts = [f"{k}={v}" for k, v in (settings or {}).items()]
        name = "-".join(["target", self.project.name, *parts])
        return (
            self.workbench
            / "".join(
                letter if letter.isalnum() or letter in "-=_." else "_"
                for letter in name
            )[:200]
        )

    def dbt(
        self,
        command: str,
        *arguments: str,
        inputs: Path | None = None,
        settings: dict | None = None,
        environment: dict[str, str] | None = None,
        meanwhile: Callable[[int], None] | None = None,
        is_parsed_before: bool = False,
    ) -> Result:
        """Run a dbt command on this warehouse with the inputs of a folder.

        With `is_parsed_before` it shares what was parsed once for all.
        """
        bench = self.workbench / "warehouse.duckdb"
        self.exports.mkdir(exist_ok=True)
        move_database(self.path, bench)
        variables = {
            name: value
            for name, value in os.environ.items()
            if name[:4] not in DBT_SETTINGS
        }
        variables |= {
            "CLV_WAREHOUSE": str(bench),
            "CLV_EXPORTS": str(self.exports),
            "CLV_PUBLISHED": str(self.published),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        }
        if inputs is not None:
            variables["CLV_INPUT"] = str(inputs)
        settings = settings or {}
        parsed = {k: v for k, v in settings.items() if k in PARSED_SETTINGS}
        logs = ["--log-path", str(self.workbench / "logs")]
        parse = ["parse", "--target-path", str(self.target(parsed)), *logs]
        parse += ["--vars", json.dumps(parsed)]
        result = run_dbt(
            [
                "--no-use-colors",
                # nobody reads the manifest of a build, and writing it takes a second
                *(["--no-write-json"] if command == "build" else []),
                command,
                "--target-path",
                str(self.target(settings)),
                *logs,
                "--vars",
                json.dumps(settings),
                *arguments,
            ],
            variables | (environment or {}),
            self.workbench / "said",
            self.project,
            meanwhile,
            parse if is_parsed_before and self.project == REPOSITORY else None,
        )
        move_database(bench, self.path)
        return result

    def build(
        self,
        *arguments: str,
        tests: bool = False,
        unit_tests: bool = False,
        **options,
    ) -> "Warehouse":
        """Build what is selected, which must succeed; by default without its tests.

        Unit tests bring their own rows, so that one build of them is enough.
        What parsing itself says is seen only where warnings are errors.
        """
        kinds = ["model", "seed"]
        if tests or unit_tests:
            kinds.append("test")
        if unit_tests:
            kinds.append("unit_test")
        for kind in kinds:
            arguments = (*arguments, "--resource-type", kind)
        options["is_parsed_before"] = "--warn-error" not in arguments
        result = self.dbt("build", *arguments, **options)
        assert result.succeeded, result.output[-5000:]
        return self

    def query(self, sql: str) -> list[tuple]:
        """All rows of a query; names are looked up in every schema."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("set search_path = 'main,intermediate,staging,raw'")
            return connection.execute(sql).fetchall()

    def table(self, name: str, without: tuple[str, ...] = ()) -> list[tuple]:
        """All rows of a table, in order; hashes of the engine's may be left out."""
        excluded = f" exclude ({', '.join(without)})" if without else ""
        return self.query(f"select *{excluded} from {name} order by all")

    def not_finite(self) -> list[tuple[str, str]]:
        """The columns of public tables that have a NaN or an infinity."""
        columns = self.query("""
            select table_name, column_name from information_schema.columns
            where table_schema = 'main' and data_type in ('DOUBLE', 'FLOAT')
        """)
        assert columns
        # one query: to open the file for each takes a quarter of a second
        return self.query(
            " union all ".join(
                f"(select '{table}', '{column}' from {table}"
                f' where not isfinite("{column}") limit 1)'
                for table, column in columns
            )
        )

    def marts(self) -> list[str]:
        """The names of the public tables."""
        return [
            name
            for (name,) in self.query(
                "select table_name from information_schema.tables"
                " where table_schema = 'main' order by 1"
            )
        ]


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all builds of the session take place."""
    return tmp_path_factory.mktemp("workbench")


@pytest.fixture
def warehouse(tmp_path: Path, workbench: Path) -> Warehouse:
    """An empty warehouse of the test's own."""
    return Warehouse(tmp_path / "own.duckdb", workbench)


@pytest.fixture
def other_warehouse(tmp_path: Path, workbench: Path) -> Warehouse:
    """A second one, to compare with."""
    return Warehouse(tmp_path / "other.duckdb", workbench)


@pytest.fixture(scope="module")
def macro_project(tmp_path_factory: pytest.TempPathFactory) -> MacroProject:
    """A project of the module's own, to try macros in."""
    return MacroProject(tmp_path_factory.mktemp("macros") / "project")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, workbench: Path) -> Warehouse:
    """The demo shop after the whole build, tests included; warnings are errors.

    Processes that run tests side by side share one: the first that comes builds it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    built = folder / "demo.duckdb"
    with (folder / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            own = Warehouse(folder / "demo_in_progress.duckdb", workbench)
            own.build("--warn-error", unit_tests=True)
            shutil.move(own.published, built.with_suffix(".published"))
            shutil.move(own.path, built)
    return Warehouse(built, workbench)


CHROMIUM = shutil.which("chromium")
# where it is missing CI fails instead of passing without a look
needs_chromium = pytest.mark.skipif(
    not CHROMIUM and "CI" not in os.environ, reason="needs Debian's chromium"
)


@pytest.fixture(scope="module")
def demo_bench(
    demo: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The environment in which commands find a copy of the demo shop, to build on.

    It stands where the demo shop was built: views name the file.
    """
    bench = demo.workbench / "warehouse.duckdb"
    folder = tmp_path_factory.mktemp("bench")
    shutil.copy(demo.path, bench)
    shutil.copytree(demo.published, folder / "published")
    environment = {k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS}
    yield environment | {
        "CLV_WAREHOUSE": str(bench),
        "CLV_PUBLISHED": str(folder / "published"),
        "CLV_EXPORTS": str(folder),
        "DBT_TARGET_PATH": str(demo.target()),
        "DBT_LOG_PATH": str(folder),
    }
    for ending in ("", ".wal"):
        Path(f"{bench}{ending}").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def truth() -> dict:
    """What was put into the demo shop."""
    return json.loads((DEMO / "ground_truth.json").read_text())


@pytest.fixture(scope="session")
def cdnow_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CDNOW master, made into inputs by the example script."""
    package = Path(importlib.util.find_spec("lifetimes").origin).parent
    folder = tmp_path_factory.mktemp("cdnow")
    subprocess.run(
        [
            sys.executable,
            "scripts/prepare_example.py",
            "examples/cdnow.sql",
            str(package / "datasets" / "CDNOW_master.txt"),
            str(folder),
        ],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    return folder


def write_orders(folder: Path, rows: list[tuple], header: str = "") -> Path:
    """Write orders.csv and return its folder.

    Parameters
    ----------
    rows : list of tuple
        By default (order_id, customer_id, ordered_at, amount).
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [header or "order_id,customer_id,ordered_at,amount"]
    lines += [",".join("" if x is None else str(x) for x in row) for row in rows]
    (folder / "orders.csv").write_text("\n".join(lines) + "\n")
    return folder
