"""The published versions of the warehouse: what BI tools read while dbt builds.

    .venv/bin/python scripts/published.py list
    .venv/bin/python scripts/published.py rollback [version]

The folder CLV_PUBLISHED has the served file, customer_lifetime.duckdb, and in
`versions` the last five that were published. Versions are never written again (but
forget.py puts others in their place): a name is moved from one to the other, so that
whoever opens the served file finds one whole version, and whoever has it open keeps
the one they have.
"""

import argparse
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

SERVED = "customer_lifetime.duckdb"
KEPT = 5
DEFAULT_WAREHOUSE = Path("warehouse/customer_lifetime.duckdb")


def published_folder(warehouse: Path | None = None) -> Path:
    """CLV_PUBLISHED; by default one for each warehouse, so that none gets another's."""
    warehouse = warehouse or Path(os.environ.get("CLV_WAREHOUSE", DEFAULT_WAREHOUSE))
    default = f"{warehouse}.published"
    if warehouse == DEFAULT_WAREHOUSE:
        default = "warehouse/published"
    return Path(os.environ.get("CLV_PUBLISHED") or default)


def name_of(*parts: str) -> str:
    """Quote the parts of a name."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def text(value: object) -> str:
    """Write a text, or null, as SQL."""
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def versions(folder: Path) -> dict[int, Path]:
    """Find the versions that are kept, the oldest first."""
    paths = (folder / "versions").glob("*.duckdb")
    return dict(sorted((int(p.stem), p) for p in paths if p.stem.isdecimal()))


def publication(path: Path) -> dict:
    """Read the one row that a published file says of itself."""
    with duckdb.connect(str(path), read_only=True) as connection:
        result = connection.execute("from publication")
        names = [column[0] for column in result.description]
        return dict(zip(names, result.fetchone(), strict=True))


def served_version(folder: Path) -> int | None:
    """Tell which version is served; none before the first."""
    served = folder / SERVED
    return publication(served)["version"] if served.exists() else None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only process that changes the folder, which is made if there is none."""
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    with (folder / "versions" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def replace_file(new: Path, path: Path) -> None:
    """Put a finished file in the place of another at once, and on the disk."""
    _to_disk(new)
    os.replace(new, path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def serve(folder: Path, version: int) -> None:
    """Let the served file be one of the versions, from the next connection on."""
    path, served = versions(folder)[version], folder / ".serving.duckdb"
    served.unlink(missing_ok=True)
    try:
        os.link(path, served)
    except OSError:  # a file system without hard links
        shutil.copy(path, served)
    # of someone who wrote to the served file and was killed: DuckDB would read that log
    # into the next file of this name
    (folder / f"{SERVED}.wal").unlink(missing_ok=True)
    replace_file(served, folder / SERVED)


def add_version(folder: Path, version: int, new: Path) -> None:
    """Make a finished file a version, serve it and remove versions beyond the last."""
    # nobody writes a version again, by mistake or by opening it without read_only
    new.chmod(new.stat().st_mode & 0o444)
    replace_file(new, folder / "versions" / f"{version:06}.duckdb")
    serve(folder, version)
    for path in list(versions(folder).values())[:-KEPT]:
        path.unlink()


def described(path: Path) -> str:
    """Put a version in words."""
    return in_words(publication(path))


def in_words(said: dict) -> str:
    """Put what a version says of itself in words."""
    return (
        f"version {said['version']} (as of {said['as_of_date']},"
        f" published {said['published_at']:%Y-%m-%d %H:%M} UTC)"
    )


def rollback(folder: Path, version: int | None = None) -> str:
    """Serve the version before, or the one that is asked for, and say so."""
    kept, serving = versions(folder), served_version(folder)
    if not kept:
        raise SystemExit(f"Nothing has been published in {folder} yet.")
    if version is None:
        earlier = [number for number in kept if serving is None or number < serving]
        if not earlier:
            raise SystemExit(
                f"There is nothing to go back to: {folder} keeps no version before"
                f" {serving}, which stays served."
            )
        version = earlier[-1]
    if version not in kept:
        raise SystemExit(
            f"There is no version {version} in {folder}. It keeps"
            f" {', '.join(map(str, kept))}; version {serving} stays served."
        )
    with locked(folder):
        serve(folder, version)
    return (
        f"Now served: {described(kept[version])}. Before: version {serving}."
        " Connections that are open keep what they have; the next build publishes a new"
        " version."
    )


def listed(folder: Path) -> str:
    """All versions, a line each."""
    serving = served_version(folder)
    if not versions(folder):
        return f"Nothing has been published in {folder} yet."
    return "\n".join(
        f"{described(path)}{', served' if number == serving else ''}"
        for number, path in versions(folder).items()
    )


def main() -> None:
    """List the versions, or go back to one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the versions that are kept")
    back = commands.add_parser("rollback", help="serve an earlier version")
    back.add_argument("version", type=int, nargs="?", help="default: the one before")
    arguments = parser.parse_args()
    folder = published_folder()
    try:
        if arguments.command == "list":
            print(listed(folder))
        else:
            print(rollback(folder, arguments.version))
    except (OSError, duckdb.Error) as error:
        raise SystemExit(f"{folder}: {error}") from error


if __name__ == "__main__":
    main()
