"""Make the documentation of all tables and columns as pages that need no server.

    .venv/bin/python scripts/docs_site.py [folder]

The folder (default: site) gets dbt's documentation, the lineage of columns by
dbt-colibri, and a page that leads to both. They ask for nothing from outside. The
warehouse must have been built, since it is asked for the types of the columns; nothing
in it is changed, but no build can run meanwhile.
"""

import argparse
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from published import DEFAULT_WAREHOUSE

REPOSITORY = Path(__file__).parents[1]
DBT = Path(sys.executable).with_name("dbt")
# An environment of its own: it asks for an older sqlglot than the others get.
COLIBRI = REPOSITORY / ".venv-docs" / "bin" / "colibri"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 18px/1.5 system-ui, sans-serif; max-width: 40em; margin: 3em auto;
         padding: 0 1em; color: #222; }}
  h1 {{ font-size: 1.6em; }}
  a {{ color: #0b5394; }}
  li {{ margin: 1em 0; }}
  footer {{ color: #555; font-size: 0.8em; margin-top: 3em; }}
</style>
<h1>{title}</h1>
<p>What a shop's customers cost, whether they come back, when they leave, what they are
worth and what to do about it.</p>
<ul>
  <li><a href="tables.html">Tables and columns</a>: what each means, its formula, what
  NULL means, and which tables it comes from. Begin here.</li>
  <li><a href="columns.html?model=model.{project}.fct_customer_value">Column
  lineage</a>: from any column back to the raw ones, and on to all that depends on
  it.</li>
</ul>
<footer>Version {version} of the project; made {made} from its models and the columns
of a warehouse that was built with them.</footer>
</html>
"""


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the project; exit as it does where it fails."""
    done = subprocess.run(command, cwd=REPOSITORY, env=os.environ | environment)
    if done.returncode:
        raise SystemExit(done.returncode)


def write(page: Path, html: str) -> None:
    """Write a page, without the folder of the machine that it was made on."""
    page.write_text(html.replace(str(REPOSITORY), "."), encoding="utf-8")


def make_site(site: Path) -> None:
    """Write the three pages into a folder."""
    site.mkdir(parents=True, exist_ok=True)
    target = REPOSITORY / "target-docs"
    # of its own: the target of a build keeps what the build made
    run(DBT, "docs", "generate", "--static", "--target-path", target.name)
    html = (target / "static_index.html").read_text(encoding="utf-8")
    write(site / "tables.html", html)
    with TemporaryDirectory() as folder:
        run(
            COLIBRI,
            *("generate", "--light", "--disable-telemetry"),
            *("--manifest", target / "manifest.json"),
            *("--catalog", target / "catalog.json"),
            *("--output-dir", folder),
            DBT_COLIBRI_NO_VERSION_CHECK="1",
        )
        html = (Path(folder) / "index.html").read_text(encoding="utf-8")
        write(site / "columns.html", html)
    project = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())
    page = PAGE.format(
        title="Customer lifetime warehouse",
        project=project["name"],
        version=project["version"],
        made=f"{datetime.now():%Y-%m-%d}",
    )
    write(site / "index.html", page)
    print(f"Made {site / 'index.html'}")


def main() -> None:
    """Make the site."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, nargs="?", default=Path("site"))
    warehouse = Path(os.environ.get("CLV_WAREHOUSE", DEFAULT_WAREHOUSE))
    if not warehouse.exists():
        raise SystemExit(
            f"There is no warehouse {warehouse}, which has the columns: `make build`."
        )
    make_site(parser.parse_args().site.resolve())


if __name__ == "__main__":
    main()
