"""The benchmarks run, on a shop too small to measure anything.

The dense spine counts each month's customers from the raw orders in its own way: what
it finds is what the project finds.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import DBT_SETTINGS, REPOSITORY

pytestmark = pytest.mark.faults

CUSTOMERS = 300


def run(script: str, *arguments: str | Path, logs: Path) -> str:
    """Run a benchmark, which must succeed; return what it printed."""
    environment = {k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS}
    environment |= {"DBT_LOG_PATH": str(logs), "DBT_SEND_ANONYMOUS_USAGE_STATS": "0"}
    command = [sys.executable, str(REPOSITORY / "benchmarks" / script), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The work folder of a small whole build and increment, and what was printed."""
    work = tmp_path_factory.mktemp("bench")
    size = ["--customers", str(CUSTOMERS), "--profile", "1"]
    printed = run("whole_build.py", *size, "--work", work, logs=work)
    return work / f"{CUSTOMERS}_all", printed


def test_whole_builds_and_increments_are_measured(measured):
    work, printed = measured
    result = json.loads((work / "result.json").read_text())
    assert result["customers"] == CUSTOMERS
    for run_ in ("floor", "build", "increment"):
        assert f"| {run_} | " in printed
        assert result[run_]["seconds"] > 0
        assert result[run_]["peak_mib"] > 0
    # the day leaves out what is learned
    assert "ml_churn_model" in result["build"]["models"]
    assert "ml_churn_model" not in result["increment"]["models"]
    (profile,) = work.glob("profile_*.txt")
    assert "Total Time" in profile.read_text()


def test_the_dense_spine_finds_the_same_customers_and_revenue(measured):
    work, _ = measured
    spine = json.loads(run("rival_spine.py", work / "shop", logs=work))
    with duckdb.connect(str(work / "warehouse.duckdb"), read_only=True) as warehouse:
        ((*counts, revenue, months),) = warehouse.execute("""
            select
                sum(new_customer_count), sum(retained_customer_count),
                sum(reactivated_customer_count), sum(churned_customer_count),
                sum(revenue_amount), count(*)
            from fct_monthly_movement
        """).fetchall()
    totals = spine["totals"]
    assert counts == [
        totals[f"{kind}_customers"]
        for kind in ("new", "retained", "reactivated", "churned")
    ]
    assert all(counts)
    assert float(revenue) == pytest.approx(totals["revenue"], abs=0.01)
    assert months == spine["rows"]["monthly_movement"]


def test_a_bucket_of_customers_has_the_rows_of_the_whole_build(measured):
    work, _ = measured
    printed = run("buckets.py", "--work", work, "--buckets", "3", logs=work)
    equal = printed.split("equal for bucket 1 of 3: ")[1].splitlines()[0].split()
    assert {"int_customer_days", "int_stage_changes", "fct_customer_segments"} <= {
        *equal
    }
