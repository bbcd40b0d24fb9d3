"""dbt-spark, and Python models: SQL goes over Thrift, Python over Spark Connect.

dbt-spark hands Python models to Databricks only. This adapter is dbt-spark in all else;
its macros are inherited, so that `spark__x` holds here too.
"""

from dataclasses import dataclass
from typing import Any

from dbt.adapters.base import AdapterPlugin, PythonJobHelper
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.spark import SparkAdapter, SparkConnectionManager, SparkCredentials
from dbt.include import spark_connect
from dbt_common.exceptions import DbtRuntimeError


@dataclass
class SparkConnectCredentials(SparkCredentials):
    """What the profile says, beside what dbt-spark knows.

    Attributes
    ----------
    remote : str
        Address of Spark Connect (`sc://host:port`), for Python models.
    poll_interval : float
        Seconds between two looks at a statement that runs. dbt-spark takes whole ones
        only, which add up over hundreds of short statements.
    """

    remote: str | None = None
    poll_interval: float = 0.1

    @property
    def type(self) -> str:
        """The name that profiles use."""
        return "spark_connect"


class SparkConnectConnectionManager(SparkConnectionManager):
    """Connections over Thrift, under the adapter's own name."""

    TYPE = "spark_connect"


class ConnectJobHelper(PythonJobHelper):
    """Runs a compiled Python model in this process, its data on the cluster."""

    def __init__(
        self, parsed_model: dict[str, Any], credentials: SparkConnectCredentials
    ) -> None:
        if not credentials.remote:
            raise DbtRuntimeError(
                "Python models need Spark Connect: name its address as `remote`"
                " (sc://host:port) in the profile."
            )
        self.name = parsed_model["name"]
        self.remote = credentials.remote

    def submit(self, compiled_code: str) -> None:
        """Run the model in a Connect session of its own; models run side by side."""
        from pyspark.sql.connect.session import SparkSession

        session = SparkSession.builder.remote(self.remote).create()
        try:
            code = compile(compiled_code, f"<{self.name}>", "exec")
            # not the name of a module that can be imported: Spark then sends what the
            # model defines to its executors by value
            exec(code, {"spark": session, "__name__": f"dbt_model_{self.name}"})
        finally:
            session.stop()


class SparkConnectAdapter(SparkAdapter):
    """dbt-spark with a way to run Python models."""

    ConnectionManager = SparkConnectConnectionManager

    @property
    def default_python_submission_method(self) -> str:
        """Where Python models run unless they say otherwise."""
        return "connect"

    @property
    def python_submission_helpers(self) -> dict[str, type[PythonJobHelper]]:
        """The only way to run them."""
        return {"connect": ConnectJobHelper}

    def generate_python_submission_response(self, submission_result) -> AdapterResponse:
        """Say that a model ran; `submit` raises where one fails."""
        return AdapterResponse(_message="OK")


Plugin = AdapterPlugin(
    adapter=SparkConnectAdapter,
    credentials=SparkConnectCredentials,
    include_path=spark_connect.PACKAGE_PATH,
    dependencies=["spark"],
)
