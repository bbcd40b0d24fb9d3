"""A Superset of one's own over the published file, with the dashboards in it.

    .venv-superset/bin/python scripts/superset_home.py prepare
    .venv-superset/bin/python scripts/superset_home.py serve [--port 8088]
    .venv/bin/python scripts/superset_home.py assets FILE FOLDER

It lives in the folder SUPERSET_HOME (by default .superset). `prepare` makes or updates
it and imports dashboards/superset/assets. `assets` writes them to a folder for another
Superset, which sees the published file as FILE.
"""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from published import SERVED, published_folder

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "dashboards" / "superset"
HOME = Path(os.environ.get("SUPERSET_HOME", REPOSITORY / ".superset")).absolute()


def write_assets(file: str, folder: Path) -> None:
    """Copy the assets, with a database that is this file."""
    shutil.copytree(FOLDER / "assets", folder, dirs_exist_ok=True)
    (path,) = folder.glob("databases/*.yaml")
    database = yaml.safe_load(path.read_text(encoding="utf-8"))
    database["sqlalchemy_uri"] = f"duckdb:///{file}"
    path.write_text(yaml.safe_dump(database, sort_keys=False), encoding="utf-8")


def settle() -> dict[str, str]:
    """Make the folder and its secrets, once; point Superset to it."""
    HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("secret_key", "admin_password"):
        if not (HOME / name).exists():
            descriptor = os.open(
                HOME / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
            )
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
    os.environ |= {
        "SUPERSET_HOME": str(HOME),
        "SUPERSET_CONFIG_PATH": str(FOLDER / "superset_config.py"),
    }


def prepare() -> None:
    """Make or update the Superset, and import the assets in place of earlier ones."""
    served = (published_folder() / SERVED).absolute()
    if not served.exists():
        raise SystemExit(f"{served} is not there: make build makes and publishes it.")
    settle()
    from superset.app import create_app
    from superset.cli.main import superset

    # one process for all commands: to load Superset takes ten seconds
    runner = create_app().test_cli_runner()

    def run(*arguments: str) -> None:
        result = runner.invoke(superset, arguments)
        if result.exit_code:
            print(result.output[-5000:], file=sys.stderr)
            raise SystemExit(f"superset {arguments[0]} failed: see above.")

    run("db", "upgrade")
    run("init")
    run(
        *("fab", "create-admin", "--username", "admin", "--firstname", "Admin"),
        *("--lastname", "User", "--email", "admin@localhost"),
        *("--password", (HOME / "admin_password").read_text()),
    )
    with tempfile.TemporaryDirectory() as folder:
        write_assets(str(served), Path(folder))
        run("import-directory", "--overwrite", folder)
    print(
        f"The dashboards are in the Superset of {HOME}. `make serve-superset` serves"
        f" it; log in as admin with the password in {HOME / 'admin_password'}."
    )


def serve(port: int) -> None:
    """Serve it to this machine."""
    if not (HOME / "superset.db").exists():
        raise SystemExit(f"There is no Superset in {HOME}: make superset makes it.")
    settle()
    print(f"http://127.0.0.1:{port}/dashboard/list/ (admin, {HOME / 'admin_password'})")
    command = str(Path(sys.executable).with_name("gunicorn"))
    os.execv(
        command,
        [
            command,
            *("--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--threads", "8", "--timeout", "120"),
            "superset.app:create_app()",
        ],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare")
    serving = commands.add_parser("serve")
    serving.add_argument("--port", type=int, default=8088)
    writing = commands.add_parser("assets")
    writing.add_argument("file")
    writing.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    match arguments.command:
        case "prepare":
            prepare()
        case "serve":
            serve(arguments.port)
        case "assets":
            write_assets(arguments.file, arguments.folder)
