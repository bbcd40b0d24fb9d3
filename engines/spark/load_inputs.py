"""Load a folder of input files as tables of Spark, for CLV_INPUT_SCHEMA.

CSV columns stay text, so that a bad value rejects its row with a reason.

    python load_inputs.py seeds/demo shop
"""

import os
import sys

from pyspark.sql import SparkSession


def load_inputs(remote: str, folder: str, schema: str) -> list[str]:
    """Load every file `<table>.csv` or `<table>.parquet` of a folder.

    Parameters
    ----------
    remote : str
        Address of Spark Connect.
    folder : str
        Folder or bucket prefix that the cluster reaches.
    schema : str
        Where the tables go; tables of the same name are replaced.

    Returns
    -------
    list of str
        The tables loaded.
    """
    session = SparkSession.builder.remote(remote).create()
    try:
        session.sql(f"create schema if not exists {schema}")
        files = session.read.format("binaryFile").load(folder).select("path").collect()
        loaded = []
        for path in sorted(row["path"] for row in files):
            table, _, kind = path.rsplit("/", 1)[-1].partition(".")
            if kind == "csv":
                rows = session.read.csv(path, header=True, multiLine=True, escape='"')
            elif kind == "parquet":
                rows = session.read.parquet(path)
            else:
                continue
            rows.write.mode("overwrite").saveAsTable(f"{schema}.{table}")
            loaded.append(table)
        return loaded
    finally:
        session.stop()


if __name__ == "__main__":
    remote = os.environ.get("CLV_SPARK_REMOTE", "sc://127.0.0.1:15002")
    print("Loaded:", ", ".join(load_inputs(remote, *sys.argv[1:3])))
