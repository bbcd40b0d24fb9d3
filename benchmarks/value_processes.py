"""Time and memory of learning and scoring purchase processes, beside lifetimes.

    .venv/bin/python benchmarks/value_processes.py --customers 1000000 --seed 1

simulates so many customers under BG/NBD and measures, each in a process of its own,
from a table of one row per customer (customer_id, frequency, recency_days, age_days)
to a table of one prediction per customer:

- this project: SQL groups the customers to distinct histories, Python fits and works
  out what living customers will buy, SQL scores P(alive) by history and joins both
  back to every customer, all by the functions and macros that the models use;
- lifetimes: fit and predict by its own methods, on the same rows.

What is not measured: starting Python, imports, the simulation, loading the rows.
"""

import argparse
import importlib.util
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import duckdb
import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).parents[1]
# r, alpha in weeks, a, b: about those of CDNOW, with fewer who leave at once
TRUTH = (0.6, 8.0, 0.8, 2.5)
OLDEST_WEEKS = 104
AHEAD_WEEKS = 52
CHUNK = 1_000_000
THEIRS = {"bg_nbd": "BetaGeoFitter", "pareto_nbd": "ParetoNBDFitter"}
PARAMETERS = {
    "bg_nbd": ("r", "alpha", "a", "b"),
    "pareto_nbd": ("r", "alpha", "s", "beta"),
}


# -- Customers --------------------------------------------------------------------


def simulate(customers: int, seed: int) -> pd.DataFrame:
    """Histories of customers under BG/NBD, in whole days.

    Returns
    -------
    DataFrame
        frequency, recency_days, age_days; first purchases are spread evenly over two
        years.
    """
    r, alpha, a, b = TRUTH
    random = np.random.default_rng(seed)
    rate = random.gamma(r, 1 / alpha, customers)
    leave = random.beta(a, b, customers)
    age = np.ceil(random.uniform(0, OLDEST_WEEKS * 7, customers)) / 7
    frequency = np.zeros(customers, dtype=np.int32)
    recency = np.zeros(customers)
    clock = np.zeros(customers)
    active = np.arange(customers)
    while len(active):
        # a purchase a day at most: the next is on a later day
        gaps = random.exponential(1 / rate[active])
        clock[active] = np.ceil((clock[active] + gaps) * 7 - 1e-9) / 7
        active = active[clock[active] <= age[active]]
        frequency[active] += 1
        recency[active] = clock[active]
        active = active[random.random(len(active)) >= leave[active]]
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency_days": np.round(recency * 7).astype(np.int32),
            "age_days": np.round(age * 7).astype(np.int32),
        }
    )


def write_customers(path: Path, customers: int, seed: int) -> None:
    """Write a database with the table `customers`, a million at a time."""
    with duckdb.connect(str(path)) as database:
        database.execute(
            "create table customers (customer_id varchar, frequency integer,"
            " recency_days integer, age_days integer)"
        )
        for start in range(0, customers, CHUNK):
            chunk = simulate(min(CHUNK, customers - start), seed + start // CHUNK)
            chunk.insert(0, "number", np.arange(start, start + len(chunk)))
            database.execute(
                "insert into customers"
                " select 'C' || number, frequency, recency_days, age_days from chunk"
            )


# -- This project -----------------------------------------------------------------


def python_model(name: str) -> ModuleType:
    """Load a module of python_models."""
    specification = importlib.util.spec_from_file_location(
        name, REPOSITORY / "python_models" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def rendered(template: str) -> str:
    """Let dbt render a template with the project's macros for DuckDB."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("dbt")),
                "--quiet",
                "--no-use-colors",
                "compile",
                "--target-path",
                folder,
                "--inline",
                template,
            ],
            cwd=REPOSITORY,
            env=os.environ | {"CLV_WAREHOUSE": f"{folder}/none.duckdb"},
            capture_output=True,
            text=True,
            check=True,
        )
    return run.stdout


def ours(path: Path, process: str, grid_days: int, in_memory: bool) -> dict:
    """Learn and score as the models do; grid_days 7 is that of large shops."""
    from threadpoolctl import threadpool_limits

    purchase_process = python_model("ml_purchase_process")
    ahead = python_model("ml_expected_purchases")
    p_alive = rendered(
        """
        paired as (
            select
                histories.recency_days,
                histories.age_days,
                {{ p_alive_columns('fitted', 'histories') }}
            from histories
            cross join fitted
        ),
        alive as (
            select
                paired.frequency,
                paired.recency_days,
                paired.age_days,
                {{ p_alive('paired') }} as p_alive_rate
            from paired
        )
        """
    )
    # like lifetimes with its arrays: the rows in memory, and the predictions too
    database = duckdb.connect(":memory:" if in_memory else str(path))
    database.execute("set preserve_insertion_order = false")
    if in_memory:
        database.execute(f"attach '{path}' as stored (read_only)")
        database.execute("create table customers as from stored.customers")
    before = peak_memory()
    clock = Clock()

    recency, age = (
        f"cast(round({name} / {grid_days}) * {grid_days} as integer) as {name}"
        for name in ("recency_days", "age_days")
    )
    gridded = f"(select customer_id, frequency, {recency}, {age} from customers)"
    database.execute(
        "create or replace table histories as"
        " select frequency, recency_days, age_days, count(*) as customer_count"
        f" from {gridded} group by all"
    )
    counted = database.execute("select * from histories order by all").df()
    clock.lap("group")
    with threadpool_limits(limits=1):
        fitted = purchase_process.fit(
            process,
            purchase_process.Histories(
                counted["frequency"],
                counted["recency_days"] / 7,
                counted["age_days"] / 7,
                counted["customer_count"],
            ),
        )
        clock.lap("fit")
        pairs = counted[["frequency", "age_days"]].drop_duplicates()
        expected = pairs.assign(
            expected_purchases=ahead.expected_purchases(
                process,
                tuple(fitted.parameters),
                pairs["frequency"].to_numpy(),
                pairs["age_days"].to_numpy() / 7,
                AHEAD_WEEKS,
            )
        )
    clock.lap("expect")
    learning_memory = peak_memory()
    estimates = pd.DataFrame(
        [
            dict.fromkeys(("r", "alpha_weeks", "a", "b", "s", "beta_weeks"), np.nan)
            | dict(
                zip(ahead.PARAMETERS[process], fitted.parameters, strict=True),
                process=process,
            )
        ]
    )
    database.register("fitted", estimates)
    database.register("expected", expected)
    database.execute(
        f"""
        create or replace table scored as
        with
        {p_alive}
        select
            alive.frequency,
            alive.recency_days,
            alive.age_days,
            alive.p_alive_rate,
            alive.p_alive_rate * expected.expected_purchases as purchases
        from alive
        inner join expected using (frequency, age_days)
        """
    )
    clock.lap("score")
    database.execute(
        "create or replace table predictions as"
        f" select customer_id, p_alive_rate, purchases from {gridded}"
        " inner join scored using (frequency, recency_days, age_days)"
    )
    clock.lap("join")
    customers, total = database.execute(
        "select count(*), sum(purchases) from predictions"
    ).fetchone()
    assert customers == counted["customer_count"].sum()
    return {
        "laps": clock.laps,
        "seconds": sum(clock.laps.values()),
        "histories": len(counted),
        "parameters": list(fitted.parameters),
        "total": total,
        "memory": peak_memory(),
        "learning_memory": learning_memory,
        "idle_memory": before,
    }


# -- lifetimes --------------------------------------------------------------------


def theirs(path: Path, process: str) -> dict:
    """Fit and predict as the package's documentation says."""
    import lifetimes

    warnings.simplefilter("ignore")
    with duckdb.connect(str(path), read_only=True) as database:
        rows = database.execute(
            "select frequency, recency_days / 7 as recency, age_days / 7 as age"
            " from customers"
        ).df()
    before = peak_memory()
    clock = Clock()
    fitter = getattr(lifetimes, THEIRS[process])()
    fitter.fit(rows["frequency"], rows["recency"], rows["age"])
    clock.lap("fit")
    expected = fitter.conditional_expected_number_of_purchases_up_to_time(
        AHEAD_WEEKS, rows["frequency"], rows["recency"], rows["age"]
    )
    fitter.conditional_probability_alive(
        rows["frequency"], rows["recency"], rows["age"]
    )
    clock.lap("predict")
    return {
        "laps": clock.laps,
        "seconds": sum(clock.laps.values()),
        "parameters": [float(fitter.params_[name]) for name in PARAMETERS[process]],
        "total": float(np.sum(expected)),
        "memory": peak_memory(),
        "idle_memory": before,
    }


# -- Measuring --------------------------------------------------------------------


class Clock:
    """Seconds from one lap to the next."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.since = time.perf_counter()

    def lap(self, name: str) -> None:
        """Note the seconds since the last lap."""
        now = time.perf_counter()
        self.laps[name] = now - self.since
        self.since = now


def peak_memory() -> float:
    """Peak resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def measure(
    path: Path, who: str, process: str, grid_days: int = 1, on_disk: bool = False
) -> dict:
    """Run one measurement in a process of its own."""
    answer = subprocess.run(
        [sys.executable, __file__, "--measure", who, "--process", process,
         "--grid-days", str(grid_days), "--database", str(path),
         *(["--on-disk"] if on_disk else [])],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    return json.loads(answer.stdout.splitlines()[-1])


def row(customers: int, name: str, found: dict, beside: dict | None) -> str:
    """One line of the table."""
    laps = ", ".join(f"{lap} {took:.2f}" for lap, took in found["laps"].items())
    cells = [
        f"{customers:,}",
        name,
        f"{found['seconds']:.2f}",
        laps,
        f"{found['memory']:,.0f}",
        f"{found.get('learning_memory', found['memory']):,.0f}",
        " ".join(f"{value:.3f}" for value in found["parameters"]),
        f"{found['total']:,.0f}",
    ]
    if beside is None:
        cells += ["", "", ""]
    else:
        theirs_fit = beside["laps"]["fit"]
        cells += [
            f"{theirs_fit / found['laps']['fit']:.0f}",
            f"{theirs_fit / found['seconds']:.0f}",
            f"{found['memory'] / beside['memory']:.2f}",
        ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--processes", nargs="+", choices=list(THEIRS), default=["bg_nbd"]
    )
    parser.add_argument(
        "--without-lifetimes", action="store_true", help="measure this project alone"
    )
    parser.add_argument(
        "--on-disk", action="store_true", help="read and write the database's file"
    )
    parser.add_argument("--measure", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--process", choices=list(THEIRS), help=argparse.SUPPRESS)
    parser.add_argument("--grid-days", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--database", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        found = (
            ours(given.database, given.process, given.grid_days, not given.on_disk)
            if given.measure == "ours"
            else theirs(given.database, given.process)
        )
        print(json.dumps(found))
        return

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("duckdb", "numpy", "scipy", "pandas", "lifetimes")
    )
    print(
        f"{os.cpu_count()} cores, {memory:.0f} GiB; Python {platform.python_version()},"
    )
    print(f"{versions}. Seed {given.seed}; truth {TRUTH}.\n")
    columns = [
        "customers", "what", "seconds", "of which", "peak MiB", "peak after learning",
        "estimates", "purchases in 52 weeks", "its fit / our fit",
        "its fit / our whole", "our memory / its",
    ]  # fmt: skip
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.duckdb"
        # in a process of its own, so that its memory is given back
        if (child := os.fork()) == 0:
            write_customers(path, given.customers, given.seed)
            os._exit(0)
        if os.waitpid(child, 0)[1]:
            raise SystemExit("The simulation failed.")
        for process in given.processes:
            other = None
            if not given.without_lifetimes:
                other = measure(path, "theirs", process)
                print(row(given.customers, f"lifetimes, {process}", other, None))
            for grid_days, grid in ((7, "weeks"), (1, "days")):
                found = measure(path, "ours", process, grid_days, given.on_disk)
                print(
                    row(
                        given.customers,
                        f"this project, {process}, {grid}"
                        f" ({found['histories']:,} histories)",
                        found,
                        other,
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
