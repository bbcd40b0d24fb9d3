"""Time, memory and disk of whole builds and of a day's increment, at any size.

    .venv/bin/python benchmarks/whole_build.py --customers 100000
    .venv/bin/python benchmarks/whole_build.py --customers 10000000 --work /data/bench

For a shop of so many customers (made by `make_shop.py`, kept in the work folder for the
next run) it runs, one after the other, each in a process of its own:

- the floor: DuckDB reads the orders' Parquet and groups it once by customer (count,
  sum, first, last), at best of three;
- `dbt build` of the shop of yesterday, data tests included, unit tests not;
- `dbt build --selector daily` with the last day's orders, too: the increment;
- with `--rivals PYTHON`, what a user might take instead: a script with pandas,
  lifetimes and scikit-learn, and a dense customer x month spine, from the same files.

It prints a table of wall time, processor time, peak memory (resident set) and size,
times as multiples of the floor too, and the dearest models; `result.json` beside the
shop has it all. `--profile 3` saves EXPLAIN ANALYZE of the three dearest SQL models.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).parents[1]
DBT = Path(sys.executable).parent / "dbt"
FLOOR = """
import duckdb, sys
db = duckdb.connect(sys.argv[2], config={'memory_limit': sys.argv[3]})
db.execute('set preserve_insertion_order = false')
db.execute(f'''
    create or replace table floor as
    select customer_id, count(*) as orders, sum(amount) as amount,
        min(ordered_at) as first_at, max(ordered_at) as last_at
    from read_parquet('{sys.argv[1]}/orders/*.parquet') group by customer_id
''')
"""


def measured(
    command: list[str],
    environment: dict[str, str] | None = None,
    log: Path | None = None,
) -> dict:
    """Run a command to its end.

    Returns
    -------
    dict
        `seconds` of wall time, `cpu_seconds` (user and system, its children's too),
        `peak_mib` resident at most in one process, `exit_code`, `output`.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if log:
        log.write_text(output)
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),
        "exit_code": process.returncode,
        "output": output,
    }


def shop_of(work: Path, customers: int, tables: str) -> tuple[Path, Path]:
    """Make the shop unless it stands; return yesterday's and today's folder."""
    today = work / "shop"
    if not today.exists():
        script = REPOSITORY / "benchmarks" / "make_shop.py"
        size = ["--customers", str(customers), "--tables", tables]
        subprocess.run([sys.executable, script, *size, "--output", today], check=True)
    yesterday = work / "shop_of_yesterday"
    if not yesterday.exists():
        (yesterday / "orders").mkdir(parents=True)
        for file in today.glob("*.parquet"):
            (yesterday / file.name).symlink_to(file)
        for part in (today / "orders").glob("*.parquet"):
            if part.stem != "last_day":
                (yesterday / "orders" / part.name).symlink_to(part)
    return yesterday, today


def build(
    work: Path, name: str, shop: Path, options: argparse.Namespace, *selected: str
) -> dict:
    """Measure one `dbt build`; its models with their seconds stand in `models`."""
    target = work / f"target_{name}"
    (work / "exports").mkdir(exist_ok=True)
    warehouse = work / "warehouse.duckdb"
    run = measured(
        [
            *(str(DBT), "build", "--exclude-resource-type", "unit_test"),
            *("--target-path", str(target)),
            *selected,
        ],
        {
            "CLV_INPUT": str(shop),
            "CLV_WAREHOUSE": str(warehouse),
            "CLV_MEMORY_LIMIT": options.memory_limit,
            "CLV_EXPORTS": str(work / "exports"),
        },
        work / f"{name}.log",
    )
    if run["exit_code"]:
        print(run["output"][-3000:])
        raise SystemExit(f"the build failed: see {work / f'{name}.log'}")
    del run["output"]
    run |= times(target)
    run["warehouse_mib"] = round(warehouse.stat().st_size / 2**20)
    return run


def times(target: Path) -> dict[str, dict[str, float]]:
    """Read what a build took, from what dbt wrote of it.

    Returns
    -------
    dict[str, dict[str, float]]
        Seconds by model in `models`; in `folders` by folder of models, with all data
        tests as `tests` and hooks, publishing among them, as `hooks`. Models that were
        built at once each count in full.
    """
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    models, folders = {}, {}
    for result in json.loads((target / "run_results.json").read_text())["results"]:
        name, seconds = result["unique_id"], round(result["execution_time"], 2)
        folder = {"test": "tests", "operation": "hooks"}.get(name.split(".")[0])
        if name.startswith("model."):
            models[name.split(".")[2]] = seconds
            folder = str(Path(nodes[name]["path"]).parent)
            folder = "learned" if name.split(".")[2].startswith("ml_") else folder
        if folder:
            folders[folder] = round(folders.get(folder, 0) + seconds, 2)
    return {"models": models, "folders": folders}


def profile(work: Path, models: dict[str, float], count: int) -> None:
    """Save EXPLAIN ANALYZE of the dearest SQL models, run again on what stands."""
    compiled = {
        path.stem: path for path in (work / "target_build" / "compiled").rglob("*.sql")
    }
    dearest = sorted(models, key=models.get, reverse=True)
    warehouse = duckdb.connect(str(work / "warehouse.duckdb"), read_only=True)
    for name in [name for name in dearest if name in compiled][:count]:
        plan = warehouse.execute(
            "explain analyze " + compiled[name].read_text()
        ).fetchall()[0][1]
        (work / f"profile_{name}.txt").write_text(plan)


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--work", type=Path, default=REPOSITORY / "warehouse" / "bench")
    parser.add_argument("--tables", choices=["all", "orders"], default="all")
    parser.add_argument("--memory-limit", default="8GB")
    parser.add_argument(
        "--rivals",
        metavar="PYTHON",
        help="measure the rivals too, with this interpreter: it needs lifetimes,"
        " scikit-learn and pyarrow",
    )
    parser.add_argument("--profile", type=int, default=0)
    options = parser.parse_args()
    work = options.work.absolute() / f"{options.customers}_{options.tables}"
    work.mkdir(parents=True, exist_ok=True)
    yesterday, today = shop_of(work, options.customers, options.tables)
    orders = duckdb.sql(f"select count(*) from '{today}/orders/*.parquet'").fetchall()[
        0
    ][0]
    (work / "warehouse.duckdb").unlink(missing_ok=True)
    shutil.rmtree(work / "warehouse.duckdb.published", ignore_errors=True)

    print(
        f"{options.customers:,} customers, {orders:,} orders, {options.tables} inputs; "
        f"{os.cpu_count()} cores, memory_limit {options.memory_limit}, "
        f"{os.environ.get('CLV_THREADS', '4')} threads; "
        f"Python {platform.python_version()}, duckdb {version('duckdb')}, "
        f"dbt-core {version('dbt-core')}\n"
    )
    print("| run | seconds | x floor | CPU seconds | x floor | peak MiB | file MiB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    runs = {}

    def done(name: str, run: dict) -> None:
        # at once: a long measurement that is stopped has not been for nothing
        runs[name] = {key: value for key, value in run.items() if key != "output"}
        floor = runs["floor"]
        multiple = {key: run[key] / floor[key] for key in ("seconds", "cpu_seconds")}
        name += "" if run["exit_code"] == 0 else " (died)"
        print(
            f"| {name} | {run['seconds']:,} | {multiple['seconds']:,.1f}"
            f" | {run['cpu_seconds']:,} | {multiple['cpu_seconds']:,.1f}"
            f" | {run['peak_mib']:,} | {run.get('warehouse_mib', '')} |",
            flush=True,
        )
        measurements = {"orders": orders, "customers": options.customers, **runs}
        (work / "result.json").write_text(json.dumps(measurements, indent=1))

    floor = [sys.executable, "-c", FLOOR, str(today), str(work / "floor.duckdb")]
    floors = [measured([*floor, options.memory_limit]) for _ in range(3)]
    (work / "floor.duckdb").unlink()
    done("floor", min(floors, key=lambda run: run["seconds"]))
    done("build", build(work, "build", yesterday, options))
    if options.profile:
        profile(work, runs["build"]["models"], options.profile)
    done("increment", build(work, "increment", today, options, "--selector", "daily"))
    rivals = {
        "pandas": ["--output", str(work / "rival")],
        "spine": ["--memory-limit", options.memory_limit],
    }
    for rival, arguments in rivals.items() if options.rivals else ():
        script = REPOSITORY / "benchmarks" / f"rival_{rival}.py"
        command = [options.rivals, str(script), str(today), *arguments]
        done(rival, measured(command, log=work / f"rival_{rival}.log"))

    share = runs["increment"]["seconds"] / runs["build"]["seconds"]
    print(f"\nincrement / build: {share:.3f}\n")
    for name in ("build", "increment"):
        models = runs[name]["models"]
        total = sum(models.values())
        print(f"dearest models of the {name} ({total:,.0f} s in {len(models)}):")
        for model in sorted(models, key=models.get, reverse=True)[:15]:
            print(f"  {models[model]:8.1f} s {models[model] / total:6.1%}  {model}")
        print("by folder:")
        folders = runs[name]["folders"]
        for folder in sorted(folders, key=folders.get, reverse=True):
            print(f"  {folders[folder]:8.1f} s  {folder}")


if __name__ == "__main__":
    main()
