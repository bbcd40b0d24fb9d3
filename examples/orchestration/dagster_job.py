"""Dagster: every day what is new, on Sundays everything.

Load it with `dagster dev -f examples/orchestration/dagster_job.py`. CLV_PROJECT is the
folder of the project, where `make build` has run once; CLV_INPUT that of the inputs.
"""

import os
import subprocess

import dagster as dg

PROJECT = os.environ.get("CLV_PROJECT", ".")


def run(context: dg.AssetExecutionContext, target: str) -> dg.MaterializeResult:
    """Run a command of the project; what it says last stands beside the asset."""
    process = subprocess.run(
        ["make", target], cwd=PROJECT, capture_output=True, text=True
    )
    context.log.info(process.stdout + process.stderr)
    if process.returncode:
        raise dg.Failure(f"make {target} failed; what is published stays as it was")
    said = "\n".join(process.stdout.splitlines()[-60:])
    return dg.MaterializeResult(metadata={"said": dg.MetadataValue.md(f"```\n{said}")})


# Two assets, since one process writes the warehouse at a time: the pool has one place
# (`dagster instance concurrency set customer_lifetime 1`).
@dg.asset(pool="customer_lifetime")
def customer_lifetime_update(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Take in what is new, and publish."""
    return run(context, "update")


@dg.asset(pool="customer_lifetime")
def customer_lifetime_build(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Build all anew, with what is learned, and publish."""
    return run(context, "build")


daily = dg.define_asset_job("daily", selection=[customer_lifetime_update])
weekly = dg.define_asset_job("weekly", selection=[customer_lifetime_build])

definitions = dg.Definitions(
    assets=[customer_lifetime_update, customer_lifetime_build],
    jobs=[daily, weekly],
    schedules=[
        dg.ScheduleDefinition(job=daily, cron_schedule="0 5 * * 1-6"),
        dg.ScheduleDefinition(job=weekly, cron_schedule="0 5 * * 0"),
    ],
)
