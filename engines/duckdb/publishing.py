"""What SQL can't do, as functions of dbt's connection (profiles.yml names this plugin).

- `replace_file(new, path)` puts a finished file in the place of another at once;
- `publish_tables(request)` copies tables to a new version of the published file.
"""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from published import (
    SERVED,
    add_version,
    locked,
    name_of,
    published_folder,
    replace_file,
    text,
    versions,
)

# What a version says of itself: tables with their columns, types and descriptions.
PUBLICATION = {
    None: "One row: what was published, when.",
    "version": ("integer", "Number of the version, counted up with each publication."),
    "as_of_date": ("date", "The day whose evening the tables describe."),
    "published_at": (
        "timestamp",
        "When the version was published, or people were last forgotten in it, in UTC.",
    ),
    "invocation_id": ("varchar", "Identifies the run of dbt that built it."),
}
PUBLICATION_TABLES = {
    None: "One row per published table: its key, and who may read it in a copy.",
    "table_name": ("varchar", "Name of the table."),
    "key_columns": (
        "varchar[]",
        "What makes a row unique; NULL where one of the columns may be NULL.",
    ),
    "reader_roles": ("varchar[]", "Roles that `+grants` of dbt_project.yml names."),
}


# how DuckDB and the system say that there is no room
NO_ROOM = ("No space left", "File too large", "quota exceeded")


def remove(database: Path) -> None:
    """Remove a database file and its log."""
    for path in (database, Path(f"{database}.wal")):
        path.unlink(missing_ok=True)


def descriptions(cursor: duckdb.DuckDBPyConnection, database: str) -> dict:
    """All comments of a database: by schema and table, the columns and their comments.

    The column None stands for the table.
    """
    found = defaultdict(list)
    for schema, table, column, comment in cursor.execute(
        "select schema_name, table_name, null, comment from duckdb_tables()"
        " where database_name = $1 and comment is not null union all"
        " select schema_name, table_name, column_name, comment from duckdb_columns()"
        " where database_name = $1 and comment is not null",
        [database],
    ).fetchall():
        found[schema, table].append((column, comment))
    return found


def copy_table(
    cursor: duckdb.DuckDBPyConnection, source: tuple[str, str, str], described: list
) -> None:
    """Copy a table, given as database, schema and name, with its descriptions."""
    copy = name_of("publication_new", "main", source[2])
    cursor.execute(f"create table {copy} as from {name_of(*source)}")
    for column, comment in described:
        what = f"column {copy}.{name_of(column)}" if column else f"table {copy}"
        cursor.execute(f"comment on {what} is {text(comment)}")


def write_table(
    cursor: duckdb.DuckDBPyConnection, name: str, described: dict, rows: list[tuple]
) -> None:
    """Write a small table, described as PUBLICATION is."""
    table = name_of("publication_new", "main", name)
    comment, columns = described[None], {k: v for k, v in described.items() if k}
    typed = ", ".join(f"{column} {kind}" for column, (kind, _) in columns.items())
    cursor.execute(f"create table {table} ({typed})")
    for row in rows:
        cursor.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
    cursor.execute(f"comment on table {table} is {text(comment)}")
    for column, (_, description) in columns.items():
        cursor.execute(f"comment on column {table}.{column} is {text(description)}")


def write_publication(
    cursor: duckdb.DuckDBPyConnection, version: int, request: dict, missing: list[str]
) -> None:
    """Write which version this is, and of each table what a copy of it must know."""
    now = datetime.now(UTC).replace(tzinfo=None)
    said = (version, request["as_of_date"], now, request["invocation_id"])
    write_table(cursor, "publication", PUBLICATION, [said])
    tables = [
        (table["name"], table["key"], table["readers"])
        for table in request["tables"]
        if table["name"] not in missing
    ]
    write_table(cursor, "publication_tables", PUBLICATION_TABLES, tables)


def copy_tables(
    cursor: duckdb.DuckDBPyConnection, served: Path, request: dict
) -> list[str]:
    """Copy all tables; return the names of those that are nowhere to be had.

    What was not built in this run is taken from the version that is served: what stands
    in the warehouse may be of a build that did not pass.
    """
    standing, stood = [], {}
    if served.exists() and not all(t["is_built"] for t in request["tables"]):
        cursor.execute(f"attach {text(served)} as publication_before (read_only)")
        standing = cursor.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'publication_before'"
        ).fetchall()
        stood = descriptions(cursor, "publication_before")
    database, missing = request["database"], []
    built = descriptions(cursor, database)
    for table in request["tables"]:
        schema, name = table["schema"], table["name"]
        if table["is_built"]:
            copy_table(cursor, (database, schema, name), built[schema, name])
        elif (name,) in standing:
            before = ("publication_before", "main", name)
            copy_table(cursor, before, stood["main", name])
        else:
            missing.append(name)
    return missing


class Plugin(BasePlugin):
    """Functions that hooks call in SQL, and a plain word where the file is locked."""

    def update_connection_config(self, creds: DuckDBCredentials, config: dict) -> None:
        """Before dbt opens the warehouse: see that it can, else say what to do."""
        if creds.path == ":memory:":
            return
        try:
            duckdb.connect(creds.path, config=config).close()
        except duckdb.IOException as error:
            holder = re.search(r"lock is held in (.*? \(PID \d+\))", str(error))
            if not holder:
                raise RuntimeError(str(error)) from error
            raise RuntimeError(
                f"The warehouse {creds.path} is in use by {holder[1]}, and one process"
                " writes at a time. If that is a build, wait until it has ended or take"
                " another CLV_WAREHOUSE; if it is a reader, end it: readers open the"
                f" published file, {published_folder() / SERVED}."
            ) from error

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Add the functions."""
        self.connection = conn
        for function, parameters in (
            (self.replace_file, ["varchar", "varchar"]),
            (self.publish_tables, ["varchar"]),
        ):
            # side effects: not worked out ahead, nor twice
            conn.create_function(
                function.__name__, function, parameters, "varchar", side_effects=True
            )

    def replace_file(self, new: str, path: str) -> str:
        """Put a finished file in the place of another."""
        replace_file(Path(new), Path(path))
        return path

    def publish_tables(self, request: str) -> str:
        """Publish tables as the next version.

        Parameters
        ----------
        request : str
            JSON of `database`, `tables` (each with `name`, `schema`, `is_built`, `key`,
            `readers`), `as_of_date` and `invocation_id`.

        Returns
        -------
        str
            JSON of `message` and `is_published`.
        """
        folder = published_folder()
        try:
            with locked(folder):
                message = self.publish(folder, json.loads(request))
            return json.dumps({"message": message, "is_published": True})
        except (OSError, duckdb.Error) as error:
            what_to_do = "Make sure that dbt can write to that folder"
            if any(words in str(error) for words in NO_ROOM):
                what_to_do = "Make room on that disk"
            message = (
                f"The build passed but could not be published in {folder}; what is"
                f" served there stays as it was. {what_to_do}, or name another folder"
                f" in CLV_PUBLISHED, and build again. The cause: {error}"
            )
            return json.dumps({"message": message, "is_published": False})

    def publish(self, folder: Path, request: dict) -> str:
        """Copy the tables to a new file and serve it; say what was done."""
        new = folder / "versions" / ".new.duckdb"
        version = max(versions(folder), default=0) + 1
        remove(new)  # what is left of a process that was killed
        cursor = self.connection.cursor()
        try:
            cursor.execute(f"attach {text(new)} as publication_new")
            cursor.execute("begin")
            missing = copy_tables(cursor, folder / SERVED, request)
            write_publication(cursor, version, request, missing)
            cursor.execute("commit")
            # writes all into the file itself, and leaves no log beside it
            cursor.execute("detach publication_new")
            add_version(folder, version, new)
        finally:
            cursor.close()
            remove(new)
        return f"Published version {version} as {folder / SERVED}" + (
            f", without {', '.join(missing)}: a whole build adds them"
            if missing
            else ""
        )
