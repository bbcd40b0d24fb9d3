"""Put the DuckDB extensions that DuckLake needs where the profile looks for them.

    .venv/bin/python engines/ducklake/install_extensions.py .venv/duckdb_extensions

They come from the packages in requirements.lock, so nothing is downloaded here.
"""

import sys

import duckdb
from duckdb_extensions import import_extension

connection = duckdb.connect(config={"extension_directory": sys.argv[1]})
for extension in ("ducklake", "postgres_scanner"):
    import_extension(extension, force_install=True, con=connection)
    connection.execute(f"load {extension}")
