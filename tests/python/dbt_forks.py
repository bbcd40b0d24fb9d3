"""Run dbt commands one after the other, each in a fork of a process that has it loaded.

Loading dbt and what Python models need takes longer than most commands the tests run.
Reads a JSON object per line from standard input: {"arguments", "environment",
"folder", "output", "parse"}; runs `dbt <arguments>` there, with what it says in the
file `output`; answers with two lines, the process and, when it has ended, its exit
code. Commands with the same `parse`, the arguments of `dbt parse`, share what that
parsed, once; where it is null, a command parses the project itself.
"""

import atexit
import importlib
import json
import os
import pickle
import sys
from pathlib import Path

from dbt.cli.main import cli, dbtRunner
from dbt.contracts.graph.manifest import Manifest

for slow in (
    "dbt.adapters.duckdb",
    "lifelines",
    "scipy.optimize",
    "sklearn.cluster",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "statsmodels.tsa.arima.model",
):
    importlib.import_module(slow)


def enter(command: dict) -> None:
    """Say from now on all in the command's file, in its environment and folder."""
    output = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])


def parsed(command: dict) -> Manifest | None:
    """Parse the project; None if that fails, so that the command says why.

    In a fork: parsing leaves threads, and whoever forks then can't parse.
    """
    result = Path(command["output"] + ".parsed")
    result.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        try:
            enter(command)
            manifest = dbtRunner().invoke(command["parse"]).result
            result.write_bytes(pickle.dumps(manifest))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    return pickle.loads(result.read_bytes()) if result.exists() else None


def run(command: dict, manifest: Manifest | None) -> None:
    """Become the dbt command; does not return."""
    enter(command)
    sys.argv = ["dbt", *command["arguments"]]
    code = 1
    try:
        cli.main(args=command["arguments"], prog_name="dbt", obj={"manifest": manifest})
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        # closes the warehouse
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        # threads of loaded libraries are the parent's: nobody could end them here
        os._exit(code)


if __name__ == "__main__":
    manifests = {}
    for line in sys.stdin:
        command = json.loads(line)
        key = tuple(command["parse"] or ())
        if key and key not in manifests:
            manifests[key] = parsed(command)
        child = os.fork()
        if child == 0:
            run(command, manifests.get(key))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
