"""Run the models of customers for one bucket of them; compare, and measure.

    .venv/bin/python benchmarks/buckets.py --work /tmp/bench/1000000_all --buckets 16

For a shop that `whole_build.py` has built. Customers are dealt to buckets by a hash of
their id, and what is known of them is written as Parquet, in a folder per bucket (and
per month for orders and lines). Then the compiled SQL of every model that has customers
in it is run for one bucket alone: from the bucket's rows of what it reads, and from
whole tables where those know no customers (the clock, thresholds, what was learned).
Its rows are compared with the same customers' rows of the whole build:

- *equal*: the model can run bucket by bucket, on as many machines as there are buckets;
- *differs*: it ranks, or counts, across customers, and needs all of them.

Time and peak memory of the models that are equal are printed for one bucket, and for
all customers at once in the same way, each in a process of its own.
"""

import argparse
import json
import multiprocessing
import resource
import shutil
import time
from pathlib import Path

import duckdb

# Made by month from the inputs, before anything is counted by customer
BY_MONTH = {"fct_orders": "order_month", "fct_order_items": "order_month"}
GIVEN = ("stg_", "fct_orders", "fct_order_items")


def tables_in_order(target: Path) -> dict[str, dict]:
    """Read models and seeds from the manifest, each after those that it reads.

    Returns
    -------
    dict[str, dict]
        dbt's node by name, with `sql`: what dbt compiled it to, None without SQL.
    """
    manifest = json.loads((target / "manifest.json").read_text())
    nodes = {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }
    ordered: dict[str, dict] = {}

    def add(name: str) -> None:
        if name not in ordered:
            for parent in nodes[name].get("depends_on", {}).get("nodes", []):
                if parent in manifest["nodes"]:
                    add(manifest["nodes"][parent]["name"])
            path = target / "compiled" / "customer_lifetime"
            path /= nodes[name]["original_file_path"]
            is_sql = path.suffix == ".sql" and path.exists()
            ordered[name] = nodes[name] | {"sql": path.read_text() if is_sql else None}

    for name in sorted(nodes):
        add(name)
    return ordered


def dealt(buckets: int) -> str:
    """Write SQL of a customer's bucket; guests are in one too.

    The hash is salted, as the project's own samples are taken by hash.
    """
    return f"hash(coalesce(customer_id, ''), 'bucket') % {buckets}"


def is_view(table: dict) -> bool:
    """Whether a model keeps no rows of its own."""
    return table["config"]["materialized"] == "view"


class Shop:
    """A whole build, attached as `whole`, beside a warehouse for a part of it."""

    def __init__(self, work: Path, folder: Path, memory_limit: str) -> None:
        self.folder = folder
        own = folder / "warehouse.duckdb"  # the name that the compiled SQL knows
        own.unlink(missing_ok=True)
        self.db = duckdb.connect(str(own), config={"memory_limit": memory_limit})
        self.db.execute("set preserve_insertion_order = false; set timezone = 'UTC'")
        self.db.execute(f"attach '{work / 'warehouse.duckdb'}' as whole (read_only)")
        self.tables = tables_in_order(work / "target_build")
        with_customers = {
            name
            for (name,) in self.db.execute(
                "select table_name from duckdb_columns()"
                " where database_name = 'whole' and column_name = 'customer_id'"
            ).fetchall()
        }
        # the increment, with which whole_build.py ends, makes no weekly tables
        self.of_customers = [
            name
            for name, table in self.tables.items()
            if name in with_customers
            and "weekly" not in table["tags"]
            and not name.startswith("base_")
        ]
        for schema in {table["schema"] for table in self.tables.values()}:
            self.db.execute(f"create schema if not exists {schema}")
        # tables that hooks make are no models: staging's views name them
        self.db.execute("create schema raw")
        for (name,) in self.db.execute(
            "select table_name from duckdb_tables()"
            " where database_name = 'whole' and schema_name = 'raw'"
        ).fetchall():
            self.db.execute(f"create view raw.{name} as from whole.raw.{name}")
        for name, table in self.tables.items():
            if name.startswith("base_"):
                name = f"{table['schema']}.{name}"
                self.db.execute(f"create view {name} as from whole.{name}")

    def write(self, name: str, buckets: int) -> None:
        """Write a table of the whole build as Parquet, a folder for each bucket."""
        month = BY_MONTH.get(name)
        table = self.tables[name]
        rows = f"whole.{table['schema']}.{name}"
        if is_view(table):  # it names its tables by a warehouse that is not attached
            rows = f"({table['sql']})"
        self.db.execute(f"""
            copy (
                select *, {dealt(buckets)} as bucket from {rows}
            ) to '{self.folder / name}' (
                format parquet, partition_by (bucket{f", {month}" if month else ""}),
                write_partition_columns true
            )
        """)

    def open(self, given: list[str], bucket: int | None) -> None:
        """See a bucket (None: all) of the given tables, and what has no customers."""
        for name, table in self.tables.items():
            rows = f"whole.{table['schema']}.{name}"
            if name in given:
                part = "*" if bucket is None else f"bucket={bucket}"
                files = f"{self.folder / name}/{part}/**/*.parquet"
                rows = (
                    "(select * exclude (bucket) from"
                    f" read_parquet('{files}', hive_partitioning = false))"
                )
            elif name in self.of_customers or name.startswith("base_"):
                continue
            self.db.execute(f"create view {table['schema']}.{name} as from {rows}")

    def create(self, name: str) -> None:
        """Run a model's SQL for what this warehouse sees."""
        table = self.tables[name]
        kind = "view" if is_view(table) else "table"
        self.db.execute(f"create {kind} {table['schema']}.{name} as {table['sql']}")

    def is_as_in_the_whole_build(self, name: str, buckets: int, bucket: int) -> bool:
        """Compare all rows of a table with the same customers' of the whole build.

        A view is as right as the tables that read it.
        """
        if is_view(self.tables[name]):
            return True
        mine = f"{self.tables[name]['schema']}.{name}"
        theirs = f"(select * from whole.{mine} where {dealt(buckets)} = {bucket})"
        return not self.db.execute(f"""
            (from {mine} except all from {theirs})
            union all (from {theirs} except all from {mine}) limit 1
        """).fetchall()


def measured(work: Path, folder: Path, bucket: int | None, names: dict, limit: str):
    """Run the models that are equal; return seconds, CPU seconds and peak memory."""
    shop = Shop(work, folder, limit)
    shop.open([*names["given"], *names["differs"]], bucket)
    start = time.perf_counter()
    for name in names["equal"]:
        shop.create(name)
    seconds = time.perf_counter() - start
    shop.db.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Read the command line, deal, compare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--buckets", type=int, default=16)
    parser.add_argument("--bucket", type=int, default=1, help="the one that is run")
    parser.add_argument("--memory-limit", default="8GB")
    options = parser.parse_args()
    folder = options.work / "buckets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()

    shop = Shop(options.work, folder, options.memory_limit)
    names = {"given": [], "equal": [], "differs": []}
    for name in shop.of_customers:
        if name.startswith(GIVEN):
            names["given"].append(name)
            shop.write(name, options.buckets)
    shop.open(names["given"], options.bucket)
    for name in shop.of_customers:
        if name in names["given"]:
            continue
        if shop.tables[name]["sql"]:
            shop.create(name)
            if shop.is_as_in_the_whole_build(name, options.buckets, options.bucket):
                names["equal"].append(name)
                continue
            schema = shop.tables[name]["schema"]
            shop.db.execute(f"alter table {schema}.{name} rename to {name}_of_bucket")
        # it needs everyone: what it knows of the bucket's customers, as it is
        names["differs"].append(name)
        shop.write(name, options.buckets)
        files = f"{shop.folder / name}/bucket={options.bucket}/*.parquet"
        shop.db.execute(
            f"create view {shop.tables[name]['schema']}.{name} as select * exclude"
            f" (bucket) from read_parquet('{files}', hive_partitioning = false)"
        )
    shop.db.close()

    print(f"equal for bucket {options.bucket} of {options.buckets}:", *names["equal"])
    print("need all customers:", *names["differs"])
    print("| customers | seconds | CPU seconds | peak MiB |\n|---|---:|---:|---:|")
    for title, bucket in (("one bucket", options.bucket), ("all at once", None)):
        # a process of its own, so that its peak is its own
        with multiprocessing.get_context("spawn").Pool(1) as process:
            seconds, cpu_seconds, peak = process.apply(
                measured, (options.work, folder, bucket, names, options.memory_limit)
            )
        print(f"| {title} | {seconds:.1f} | {cpu_seconds:.1f} | {peak:,.0f} |")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
