"""Compile all models for engines that are not at hand, and parse what comes out.

    make compile-engines

For each engine, dbt compiles the whole project without a database, and sqlglot reads
each SQL model in the engine's dialect. It prints a table and ends with 1 where a model
does not compile or parse. Nothing is run: a parser knows neither types nor all that an
engine lacks (docs/engines.md).
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import sqlglot
import yaml

REPOSITORY = Path(__file__).parents[2]
PROFILES = Path(__file__).parent
DBT = Path(sys.executable).with_name("dbt")


@dataclass
class Outcome:
    """What became of the models on one engine."""

    model_count: int
    compiled_count: int
    sql_count: int
    errors: dict[str, str]  # of SQL models that do not parse


def compile_models(engine: str, target: Path) -> list[dict]:
    """Compile the project for an engine; return its models from the manifest."""
    run = subprocess.run(
        [
            *(DBT, "--no-use-colors", "compile", "--target", engine),
            *("--full-refresh", "--no-introspect", "--no-populate-cache"),
            *("--profiles-dir", PROFILES, "--project-dir", REPOSITORY),
            *("--target-path", target, "--log-path", target),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    if run.returncode != 0:
        print(run.stdout[-3000:], run.stderr[-1000:], file=sys.stderr)
    manifest = target / "manifest.json"
    if not manifest.exists():
        sys.exit(f"dbt could not parse the project for {engine}.")
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"].values()
    return [node for node in nodes if node["resource_type"] == "model"]


def parse_error(sql: str, dialect: str) -> str | None:
    """Return what a dialect's parser says against a query; None if it is content."""
    try:
        sqlglot.parse_one(sql, dialect=dialect)
    except sqlglot.errors.SqlglotError as error:
        message = re.sub(r"\x1b\[\d+m", "", str(error))  # without its underlines
        return " ".join(message.split())[:300]
    return None


def check(engine: str) -> Outcome:
    """Compile and parse all models for an engine."""
    with tempfile.TemporaryDirectory() as folder:
        models = compile_models(engine, Path(folder))
        compiled = [model for model in models if model.get("compiled_code")]
        sql = [model for model in compiled if model["language"] == "sql"]
        errors = {
            model["name"]: parse_error(model["compiled_code"], engine) for model in sql
        }
    return Outcome(
        len(models),
        len(compiled),
        len(sql),
        {name: error for name, error in errors.items() if error},
    )


def main() -> int:
    """Check all engines of profiles.yml, or those named; return 1 on any failure."""
    sys.setrecursionlimit(20_000)  # formulae of many terms are deep trees
    profiles = yaml.safe_load((PROFILES / "profiles.yml").read_text("utf-8"))
    known = profiles["customer_lifetime"]["outputs"]
    failed = False
    print(f"{'engine':<12}{'models':>8}{'compiled':>10}{'SQL':>6}{'parsed':>8}")
    for engine in sys.argv[1:] or known:
        if engine not in known:
            sys.exit(f"Unknown engine {engine}; there are {', '.join(known)}.")
        found = check(engine)
        parsed = found.sql_count - len(found.errors)
        print(
            f"{engine:<12}{found.model_count:>8}{found.compiled_count:>10}"
            f"{found.sql_count:>6}{parsed:>8}",
            flush=True,
        )
        for name, error in found.errors.items():
            print(f"  {name}: {error}")
        if found.errors or found.compiled_count < found.model_count:
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
