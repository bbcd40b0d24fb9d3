"""The boards of dashboards/boards, as pages that need no server, or live with filters.

    .venv-boards/bin/python scripts/dashboards.py render [--output folder]
    .venv-boards/bin/python scripts/dashboards.py serve

They read the published file or, where nothing has been published, the warehouse.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "dashboards" / "boards"
BOARDS = sorted(p for p in PROJECT.glob("charts/*.yml") if p.stem != "meta")
WAREHOUSE = "customer_lifetime.duckdb"


def served_file() -> Path:
    """Find the file to read: CLV_PUBLISHED has it, or else CLV_WAREHOUSE is it."""
    named = os.environ.get("CLV_WAREHOUSE")
    warehouse = Path(named or f"warehouse/{WAREHOUSE}")
    default = f"{warehouse}.published" if named else "warehouse/published"
    published = Path(os.environ.get("CLV_PUBLISHED") or default) / WAREHOUSE
    for path in (published, warehouse):
        if path.exists():
            return path.resolve()
    raise SystemExit(f"Neither {published} nor {warehouse} is there: build first.")


def run(program: str, *arguments: str, **variables: str) -> None:
    """Run dbt or dct of this environment, which must succeed."""
    result = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        cwd=REPOSITORY,
        env=os.environ
        | {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        | variables,
    )
    if result.returncode:
        raise SystemExit(result.returncode)


def dct(*arguments: str) -> None:
    """Run dct on the boards, with a manifest in which ref() finds the tables.

    The manifest names the file as dbt_charts.yml does. It is one of its own, since
    dbt writes `target` for the warehouse that it builds.
    """
    file = served_file()
    target = {"DBT_TARGET_PATH": "target-boards"}
    run("dbt", "--quiet", "parse", CLV_WAREHOUSE=WAREHOUSE, **target)
    run(
        "dct",
        *arguments,
        "--project-dir",
        str(PROJECT),
        CLV_BOARDS_FILE=str(file),
        **target,
    )


def render(output: Path) -> None:
    """Write each board to a page of its name that asks for nothing from outside."""
    pages = output.resolve() / "{stem}.html"
    boards = [str(board) for board in BOARDS]
    dct("render", *boards, "--format", "html", "--output", str(pages), "--no-warnings")
    # links between the boards lead to pages of the server; here, to files beside
    for board in BOARDS:
        page = Path(str(pages).format(stem=board.stem))
        html = page.read_text(encoding="utf-8")
        page.write_text(
            re.sub(r'href="/(\w+)/"', r'href="\1.html"', html), encoding="utf-8"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    render_parser = commands.add_parser("render")
    render_parser.add_argument("--output", type=Path, default=Path("dashboards/html"))
    commands.add_parser("serve")
    arguments = parser.parse_args()
    if arguments.command == "render":
        render(arguments.output)
    else:
        dct("serve")
