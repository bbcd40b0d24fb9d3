"""A standalone Spark cluster on this machine, from the pyspark package alone.

A master, two workers and one driver, all on 127.0.0.1. The driver serves SQL (Thrift)
and Python (Spark Connect) over one catalogue. Everything that it keeps (tables,
catalogue, logs, process ids, ports) is in one folder.

    python cluster.py start | stop | status | kill-worker
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
WORKERS = ("worker-1", "worker-2")
PORTS = {"master": 7077, "thrift": 10017, "connect": 15002}
SECONDS_TO_START = 240
# it plans every query, and holds what Python models return on its way to the executors
DRIVER_MEMORY = "4g"

SETTINGS = {
    "spark.executor.cores": "1",
    "spark.cores.max": str(len(WORKERS)),
    "spark.sql.catalogImplementation": "hive",
    "spark.sql.session.timeZone": "UTC",
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
    "spark.connect.grpc.binding.address": HOST,
    # nobody looks at what the driver remembers of past queries; after a hundred models
    # the pictures of their plans would fill its memory
    "spark.ui.enabled": "false",
    "spark.ui.retainedJobs": "10",
    "spark.ui.retainedStages": "10",
    "spark.ui.retainedTasks": "100",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.sql.thriftserver.ui.retainedStatements": "1",
    "spark.sql.thriftserver.ui.retainedSessions": "1",
    "spark.connect.ui.retainedStatements": "1",
    "spark.connect.ui.retainedSessions": "1",
    "spark.sql.maxPlanStringLength": "10000",
    # the tables are small here: more parts would only be more tasks, and to compile a
    # query, or the code that runs it, takes longer than it saves
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    # a worker that is gone is noticed when it has been silent for so long
    "spark.network.timeout": "60s",
}


class ClusterError(Exception):
    """The cluster does not do what it was told to, with the reason."""


def free_port() -> int:
    """Return a port that nobody listens to."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def answers(port: int) -> bool:
    """Whether somebody listens to a port."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((HOST, port)) == 0


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended is reaped if it is ours."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Cluster:
    """The processes of one cluster.

    Parameters
    ----------
    folder : Path
        Where all of it lies. Tables in it outlive the processes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.state = self.folder / "cluster.json"

    def known(self) -> dict:
        """Read the ports and process ids; empty if the cluster was not started."""
        return json.loads(self.state.read_text()) if self.state.exists() else {}

    def alive(self) -> list[str]:
        """Names of the processes that run."""
        return [
            name for name, pid in self.known().get("pids", {}).items() if is_alive(pid)
        ]

    def environment(self) -> dict[str, str]:
        """Where dbt finds the cluster, as profiles.yml asks for it."""
        ports = self.known()["ports"]
        return {
            "CLV_SPARK_PORT": str(ports["thrift"]),
            "CLV_SPARK_REMOTE": f"sc://{HOST}:{ports['connect']}",
        }

    def start(self, ports: dict[str, int], memory: str = "2g") -> None:
        """Start all processes and wait until the driver answers.

        Raises
        ------
        ClusterError
            If it runs already, a port is taken, or a process ends instead of starting;
            nothing is left running then.
        """
        if self.alive():
            raise ClusterError(
                f"It runs already: {', '.join(self.alive())} ({self.folder})."
            )
        taken = [str(port) for port in ports.values() if answers(port)]
        if taken:
            raise ClusterError(
                f"Taken by another process: port {', '.join(taken)}. Choose others"
                " (--free-ports finds some)."
            )
        shutil.rmtree(self.folder / "logs", ignore_errors=True)
        (self.folder / "logs").mkdir(parents=True)
        pids: dict[str, int] = {}
        self._note(ports, pids)
        master = f"spark://{HOST}:{ports['master']}"
        deploy = "org.apache.spark.deploy"
        try:
            pids["master"] = self._launch(
                "master",
                "spark-class", f"{deploy}.master.Master",
                "--host", HOST, "--port", str(ports["master"]),
                "--webui-port", "0",
            )  # fmt: skip
            self._note(ports, pids)
            self._wait(lambda: answers(ports["master"]), pids)
            for name in WORKERS:
                pids[name] = self._launch(
                    name,
                    "spark-class", f"{deploy}.worker.Worker",
                    "--host", HOST, "--cores", "1", "--memory", memory,
                    "--webui-port", "0", "--work-dir", str(self.folder / "work"),
                    master,
                )  # fmt: skip
            settings = SETTINGS | {
                "spark.executor.memory": memory,
                "spark.connect.grpc.binding.port": str(ports["connect"]),
                "spark.sql.warehouse.dir": str(self.folder / "tables"),
            }
            pids["driver"] = self._launch(
                "driver",
                "spark-submit",
                "--class",
                "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
                "--master", master, "--driver-memory", DRIVER_MEMORY,
                *(word for k, v in settings.items() for word in ("--conf", f"{k}={v}")),
                "spark-internal",
                "--hiveconf", f"hive.server2.thrift.port={ports['thrift']}",
                "--hiveconf", f"hive.server2.thrift.bind.host={HOST}",
                "--hiveconf", "hive.server2.authentication=NOSASL",
            )  # fmt: skip
            self._note(ports, pids)
            self._wait(
                lambda: answers(ports["thrift"]) and answers(ports["connect"]), pids
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the cluster, the executors with their workers."""
        pids = self.known().get("pids", {})
        # the driver first: it tells its executors to end
        for name in ("driver", *WORKERS, "master"):
            if name in pids:
                self._end(pids[name])
        self.state.unlink(missing_ok=True)

    def kill_worker(self, name: str = WORKERS[0]) -> None:
        """Kill a worker and its executor without warning, as a broken machine does."""
        if name not in self.alive():
            raise ClusterError(f"There is no {name} that runs.")
        self._end(self.known()["pids"][name], (signal.SIGKILL,))

    def _launch(self, name: str, command: str, *arguments: str) -> int:
        """Start a process in a group of its own, its words in a log of its own."""
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = os.environ | {
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": HOST,
            "SPARK_NO_DAEMONIZE": "1",
            # executors run Python functions with the packages of this environment
            "PYSPARK_PYTHON": sys.executable,
        }
        with (self.folder / "logs" / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [str(home / "bin" / command), *arguments],
                cwd=self.folder,  # the catalogue is made in it
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ).pid

    def _note(self, ports: dict[str, int], pids: dict[str, int]) -> None:
        self.state.write_text(json.dumps({"ports": ports, "pids": pids}, indent=2))

    def _wait(self, is_ready: Callable[[], bool], pids: dict[str, int]) -> None:
        until = time.monotonic() + SECONDS_TO_START
        while not is_ready():
            ended = [name for name, pid in pids.items() if not is_alive(pid)]
            if ended or time.monotonic() > until:
                name = ended[0] if ended else "driver"
                log = self.folder / "logs" / f"{name}.log"
                words = log.read_text(errors="replace")[-2000:]
                raise ClusterError(
                    f"{name} "
                    + ("ended" if ended else f"is silent for {SECONDS_TO_START} s")
                    + f". Its log, {log}, ends with:\n{words}"
                )
            time.sleep(0.3)

    @staticmethod
    def _end(
        pid: int, orders: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGKILL)
    ) -> None:
        """Ask a group of processes to end, and make it after ten seconds."""
        for order in orders:
            try:
                os.killpg(pid, order)
            except ProcessLookupError:
                return
            until = time.monotonic() + 10
            while time.monotonic() < until and is_alive(pid):
                time.sleep(0.1)


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("start", "stop", "status", "kill-worker"))
    parser.add_argument(
        "--folder",
        type=Path,
        default=os.environ.get("CLV_SPARK_FOLDER", REPOSITORY / "warehouse" / "spark"),
        help="tables, catalogue and logs (default: CLV_SPARK_FOLDER)",
    )
    parser.add_argument("--memory", default="2g", help="of each worker")
    parser.add_argument(
        "--free-ports", action="store_true", help="take ports that nobody uses"
    )
    for name, port in PORTS.items():
        parser.add_argument(f"--{name}-port", type=int, default=port)
    said = parser.parse_args()
    cluster = Cluster(Path(said.folder))
    try:
        if said.command == "start":
            ports = {
                name: free_port() if said.free_ports else getattr(said, f"{name}_port")
                for name in PORTS
            }
            cluster.start(ports, said.memory)
        elif said.command == "stop":
            cluster.stop()
        elif said.command == "kill-worker":
            cluster.kill_worker()
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1
    alive = cluster.alive()
    print("Running:", ", ".join(alive) if alive else "nothing")
    if said.command in ("start", "status") and alive:
        for name, value in cluster.environment().items():
            print(f"export {name}={value}")
    return 0 if alive or said.command == "stop" else 3


if __name__ == "__main__":
    sys.exit(main())
