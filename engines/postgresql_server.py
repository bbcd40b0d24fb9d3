"""A PostgreSQL server for as long as a check takes."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def server_program(name: str) -> str:
    """Find a program of the PostgreSQL server; Debian keeps them off the path."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda f: int(f.parent.name)
    )
    path = os.pathsep.join([*(str(f) for f in reversed(folders)), os.environ["PATH"]])
    found = shutil.which(name, path=path)
    if not found:
        raise SystemExit(
            f"{name} was not found. Install the PostgreSQL server"
            " (Debian: apt-get install postgresql)."
        )
    return found


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL server on 127.0.0.1; yield how to connect to it.

    Its data lie in a temporary folder, which goes when it stops.
    """
    folder = Path(tempfile.mkdtemp(prefix="postgresql_"))
    # the server refuses to run as root
    person = "postgres" if os.geteuid() == 0 else None
    if person:
        shutil.chown(folder, person)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    server = None
    try:
        subprocess.run(
            [server_program("initdb"), "-D", data, "-U", "postgres", "-A", "trust"],
            user=person,
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with (folder / "log").open("w") as log:
            here = ("-h", "127.0.0.1", "-p", str(port), "-k", str(folder))
            server = subprocess.Popen(
                [server_program("postgres"), "-D", data, *here],
                user=person,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        ready = [server_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        deadline = time.monotonic() + 60
        while subprocess.run(ready, check=False).returncode:
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.2)
        yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
    finally:
        if server:
            server.send_signal(signal.SIGINT)  # ends its connections and stops
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
        shutil.rmtree(folder)
