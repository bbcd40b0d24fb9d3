"""Build the demo shop on a Spark cluster and hold it against DuckDB.

    make test-spark

In a temporary folder, with a cluster of its own on 127.0.0.1:

1. yesterday's shop is built on both engines; on Spark a worker is killed in the middle
   of it, with whatever it has in hand;
2. today's is built over it, on the worker that is left;
3. after each, every public mart is compared, row for row, and every export.

Ends with 1 and says what differs if anything does. Which shops: engines/demo_shop.py.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
from pyspark.sql import SparkSession

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "engines"), str(Path(__file__).parent)]

from cluster import PORTS, WORKERS, Cluster, free_port  # noqa: E402
from compare_marts import compare_all, of_catalogue, of_folder, public_marts  # noqa: E402
from demo_shop import DEMO, yesterdays_shop  # noqa: E402
from load_inputs import load_inputs  # noqa: E402

DBT = Path(sys.executable).with_name("dbt")
SCHEMA = "shop"
# unit tests bring their own rows: they say nothing of an engine's tables; data tests
# are the same queries on tables that are compared here
BUILD = ("build", "--exclude-resource-type", "unit_test", "test")
# each engine has its own; it serves to find the months that changed
HASHES = ("content_hash",)
# A tenth of a margin that ends on a 5 is halfway between two last digits. Which way it
# goes is up to the last bit of a sum, and engines round its parts by different rules.
TIES = {
    "fct_value_sensitivity": {
        "residual_value_amount": 0.0001,
        "lifetime_value_amount": 0.0001,
        "value_change_amount": 0.0001,
        # the one before over what it was
        "residual_value_change": 1e-7,
    }
}


class Check:
    """The two builds and what was found.

    Parameters
    ----------
    work : Path
        Where all of it takes place.
    cluster : Cluster
        A cluster that runs.
    """

    def __init__(self, work: Path, cluster: Cluster) -> None:
        self.work = work
        self.cluster = cluster
        self.warehouse = work / "customer_lifetime.duckdb"
        self.remote = cluster.environment()["CLV_SPARK_REMOTE"]

    def build(
        self, target: str, inputs: Path, watch: Callable[[str], None] | None = None
    ) -> float:
        """Build on an engine; return the seconds it took.

        Parameters
        ----------
        watch : callable
            Is given each line that dbt says.
        """
        exports = self.work / f"exports_{target}"
        exports.mkdir(exist_ok=True)
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("CLV_", "DBT_"))
        } | {"CLV_EXPORTS": str(exports), "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}
        if target == "spark":
            load_inputs(self.remote, str(inputs), SCHEMA)
            environment |= self.cluster.environment() | {"CLV_INPUT_SCHEMA": SCHEMA}
        else:
            environment |= {
                "CLV_WAREHOUSE": str(self.warehouse),
                "CLV_INPUT": str(inputs),
            }
        folders = ["--target-path", str(self.work / f"target_{target}")]
        folders += ["--log-path", str(self.work / f"logs_{target}")]

        def dbt(*command: str) -> None:
            said = []
            with subprocess.Popen(
                [str(DBT), "--no-use-colors", *command, "--target", target, *folders],
                cwd=REPOSITORY,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                for line in process.stdout:
                    said.append(line)
                    if watch:
                        watch(line)
            if process.returncode:
                raise SystemExit(f"{''.join(said[-80:])}\ndbt {command[0]} on {target}")

        dbt("parse")  # so that only building is measured
        start = time.perf_counter()
        dbt(*BUILD)
        return time.perf_counter() - start

    def marts_agree(self) -> bool:
        """Compare every public mart of Spark with the one of the DuckDB file."""
        marts = public_marts(self.work / "target_duckdb" / "manifest.json")
        folder = self.work / "marts"
        folder.mkdir(exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.warehouse}' as built (read_only)")
            session = SparkSession.builder.remote(self.remote).create()
            try:
                for mart in marts:
                    # Spark puts the columns of a partition last
                    columns = connection.table(f"built.main.{mart.name}").columns
                    rows = session.table(f"main.{mart.name}").select(*columns)
                    parquet.write_table(rows.toArrow(), folder / f"{mart.name}.parquet")
            finally:
                session.stop()
            return compare_all(
                connection,
                marts,
                of_catalogue("built.main"),
                of_folder(folder),
                HASHES,
                TIES,
            )

    def exports_agree(self) -> bool:
        """Compare the exported audiences; a file of DuckDB's is a folder of Spark's."""
        files = sorted((self.work / "exports_duckdb").iterdir())
        differing = []
        with duckdb.connect() as connection:
            for file in files:
                parts = self.work / "exports_spark" / file.name / f"part-*{file.suffix}"
                expected, actual = (
                    connection.execute(f"from '{path}'").fetchall()
                    for path in (file, parts)
                )
                if actual != expected:
                    differing.append(file.name)
        said = ", ".join(differing) or "none"
        print(f"{len(files)} exports were compared; these differ: {said}", flush=True)
        return bool(files) and not differing


class Misfortune:
    """Kills a worker as soon as so many models are built.

    Its tasks are then in mid-flight, and the blocks that it keeps for later ones are
    gone.
    """

    def __init__(self, cluster: Cluster, after_models: int) -> None:
        self.cluster = cluster
        self.left = after_models
        self.has_come = False

    def __call__(self, line: str) -> None:
        """Read a line of dbt's."""
        self.left -= " OK created " in line
        if self.left <= 0 and not self.has_come:
            self.cluster.kill_worker(WORKERS[0])
            self.has_come = True
            print(f"{WORKERS[0]} was killed after: {line.strip()}", flush=True)


def main() -> int:
    """Run all of it; return 1 if anything differs."""
    # so that the cluster stops, too, when this is asked to end
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="spark_") as folder:
        work = Path(folder)
        cluster = Cluster(work / "cluster")
        try:
            cluster.start({name: free_port() for name in PORTS})
            check = Check(work, cluster)
            yesterday = yesterdays_shop(work / "yesterday")
            misfortune = Misfortune(cluster, after_models=60)
            full = {
                "Spark": check.build("spark", yesterday, misfortune),
                "DuckDB": check.build("duckdb", yesterday),
            }
            print("\nThe full build, a worker killed in the middle of it:")
            agree = [check.marts_agree(), check.exports_agree()]
            second = {
                "Spark": check.build("spark", DEMO),
                "DuckDB": check.build("duckdb", DEMO),
            }
            print("\nThe build after a day's orders, a correction and a late one:")
            agree += [check.marts_agree(), check.exports_agree()]
            faults = []
            if not misfortune.has_come:
                faults.append("No worker was killed: the build was over before.")
            if sorted(cluster.alive()) != ["driver", "master", WORKERS[1]]:
                faults.append(f"These run at the end: {', '.join(cluster.alive())}")
        finally:
            cluster.stop()
    for what, timed in (("full", full), ("second", second)):
        print(
            f"{what} build: DuckDB {timed['DuckDB']:.0f} s, Spark"
            f" {timed['Spark']:.0f} s, {timed['Spark'] / timed['DuckDB']:.1f} times as"
            " long"
        )
    for fault in faults:
        print(fault)
    return 0 if all(agree) and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
