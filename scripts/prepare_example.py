"""Turn a published data set into a folder of inputs for the warehouse.

    python scripts/prepare_example.py examples/cdnow.sql CDNOW_master.txt input/cdnow
    CLV_INPUT=input/cdnow dbt build

Runs the SQL in an empty DuckDB with the variable ``source`` set to the file, and
writes every table that it creates to the folder, as Parquet.
"""

import argparse
from pathlib import Path

import duckdb


def prepare(sql: Path, source: Path, folder: Path) -> dict[str, int]:
    """Write the tables that ``sql`` makes of ``source`` to ``folder``.

    Returns
    -------
    dict of str to int
        Rows written per table.
    """
    if not source.is_file():
        raise SystemExit(
            f"{source} is not there; see the head of {sql} for its origin."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute("set variable source = ?", [str(source)])
        connection.execute(sql.read_text())
        rows = {}
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where not temporary order by 1"
        ).fetchall():
            path = str(folder / f"{table}.parquet").replace("'", "''")
            connection.execute(f"copy {table} to '{path}'")
            rows[table] = connection.table(table).shape[0]
    return rows


def main() -> None:
    """Read the command line and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sql", type=Path, help="a script in examples/")
    parser.add_argument("source", type=Path, help="the published file")
    parser.add_argument("folder", type=Path, help="where the inputs go")
    arguments = parser.parse_args()
    for table, rows in prepare(
        arguments.sql, arguments.source, arguments.folder
    ).items():
        print(f"{arguments.folder / table}.parquet: {rows:,} rows")


if __name__ == "__main__":
    main()
