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

from published import DEFAULT_WAREHOUSE, SERVED, published_folder

REPOSITORY = Path(__file__).parents[1]
PROJECT = REPOSITORY / "dashboards" / "boards"
BOARDS = sorted(p for p in PROJECT.glob("charts/*.yml") if p.stem != "meta")
BIN = Path(sys.executable).parent


def served_file() -> Path:
    """Find the file to read: the published one, or else the warehouse."""
    warehouse = Path(os.environ.get("CLV_WAREHOUSE", DEFAULT_WAREHOUSE))
    published = published_folder(warehouse) / SERVED
    for path in (published, warehouse):
        if path.exists():
            return path.resolve()
    raise SystemExit(f"Neither {published} nor {warehouse} is there: build first.")


def ready() -> dict[str, str]:
    """Make the manifest that ref() is looked up in; return the variables dct needs.

    The manifest names the file as dbt_charts.yml does. It is one of its own, since
    dbt writes `target` for the warehouse that it builds.
    """
    variables = os.environ | {
        "CLV_BOARDS_FILE": str(served_file()),
        "DBT_TARGET_PATH": "target-boards",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    subprocess.run(
        [BIN / "dbt", "--quiet", "parse"],
        cwd=REPOSITORY,
        env=variables | {"CLV_WAREHOUSE": SERVED},
        check=True,
    )
    return variables


def render(output: Path) -> None:
    """Write each board to a page of its name that asks for nothing from outside."""
    output = output.resolve()
    result = subprocess.run(
        [
            BIN / "dct",
            "render",
            *BOARDS,
            *("--project-dir", PROJECT),
            *("--format", "html", "--output", output / "{stem}.html"),
            "--no-warnings",
        ],
        env=ready(),
    )
    if result.returncode:
        raise SystemExit(result.returncode)
    for board in BOARDS:
        page = output / f"{board.stem}.html"
        html = page.read_text(encoding="utf-8")
        # the server's addresses of boards are files here; its filters are not
        html = re.sub(r'href="/(\w+)/"', r'href="\1.html"', html)
        html = re.sub(r' href="\?[^"]*"', "", html)
        page.write_text(html, encoding="utf-8")


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
        command = [str(BIN / "dct"), "serve", "--project-dir", str(PROJECT)]
        os.execve(command[0], command, ready())
