"""Run dbt commands one after the other, each in a fork of a process that has it loaded.

Loading dbt and what Python models need takes longer than most commands the tests run.
Reads a JSON object per line from standard input: {"arguments", "environment",
"folder", "output"}; runs `dbt <arguments>` there, with what it says in the file
`output`; answers with two lines, the process and, when it has ended, its exit code.
"""

import atexit
import importlib
import json
import os
import sys

from dbt.cli.main import cli

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


def run(command: dict) -> None:
    """Become the dbt command; does not return."""
    output = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    sys.argv = ["dbt", *command["arguments"]]
    code = 1
    try:
        cli.main(args=command["arguments"], prog_name="dbt")
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
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line))
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
