"""sqlfluff that seldom looks for garbage: the same findings in less time.

The tree of a file lives until its findings are told, and each search walks all of it.
"""

import gc

from sqlfluff.cli.commands import cli

# out here, since the processes that sqlfluff starts import this file
gc.set_threshold(200_000, 50, 100)

if __name__ == "__main__":
    cli(prog_name="sqlfluff")
