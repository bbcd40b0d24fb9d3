"""dbt-spark, and Python models: SQL goes over Thrift, Python over Spark Connect.

dbt-spark hands Python models to Databricks only. This adapter is dbt-spark in all else;
its macros are inherited, so that `spark__x` holds here too.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dbt.adapters.base import AdapterPlugin, PythonJobHelper
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.spark import (
    SparkAdapter,
    SparkColumn,
    SparkConnectionManager,
    SparkCredentials,
)
from dbt.include import sparkconnect
from dbt_common.exceptions import DbtRuntimeError

TRANSLATED = {"varchar": "string", "text": "string", "double precision": "double"}


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
        return "sparkconnect"


class SparkConnectConnectionManager(SparkConnectionManager):
    """Connections over Thrift, under the adapter's own name."""

    TYPE = "sparkconnect"

    @classmethod
    def open(cls, connection):
        """Connect, and make the settings of the profile those of the session.

        Spark's Thrift server ignores the ones that come with the connection.
        """
        was_open = connection.state == "open"
        connection = super().open(connection)
        if not was_open:
            cursor = connection.handle.cursor()
            for name, value in connection.credentials.server_side_parameters.items():
                cursor.execute(f"set {name}={value}")
        return connection

    @contextmanager
    def exception_handler(self, sql: str) -> Generator[None, None, None]:
        """Say what went wrong without the places in Spark's own code."""
        try:
            with super().exception_handler(sql):
                yield
        except DbtRuntimeError as error:
            error.msg = str(error.msg).split("\n\tat ")[0]
            raise


class SparkConnectColumn(SparkColumn):
    """Columns whose types go by the names that other engines use."""

    @classmethod
    def translate_type(cls, dtype: str) -> str:
        """Name a type as Spark does; its own names stay."""
        return TRANSLATED.get(dtype.lower(), dtype)


def as_arrow(learned):
    """Take a pandas table to Arrow, which keeps the types of its columns.

    Parameters
    ----------
    learned : pandas.DataFrame

    Returns
    -------
    pyarrow.Table
        A column without a single value and without a type of its own is text: Spark
        has no table with a column of no type.
    """
    import pyarrow

    table = pyarrow.Table.from_pandas(learned, preserve_index=False)
    for position, field in enumerate(table.schema):
        if pyarrow.types.is_null(field.type):
            text = table.column(position).cast(pyarrow.string())
            table = table.set_column(position, field.name, text)
    return table


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
        import pandas
        from pyspark.sql.connect.session import SparkSession

        def save(learned, relation: str) -> None:
            """Make a table of what the model returned."""
            if isinstance(learned, pandas.DataFrame):
                learned = session.createDataFrame(as_arrow(learned))
            learned.write.mode("overwrite").format("parquet").saveAsTable(relation)

        session = SparkSession.builder.remote(self.remote).create()
        try:
            code = compile(compiled_code, f"<{self.name}>", "exec")
            # not the name of a module that can be imported: Spark then sends what the
            # model defines to its executors by value
            known = {"spark": session, "save": save}
            exec(code, known | {"__name__": f"dbt_model_{self.name}"})
        finally:
            session.stop()


class SparkConnectAdapter(SparkAdapter):
    """dbt-spark with a way to run Python models."""

    ConnectionManager = SparkConnectConnectionManager
    Column = SparkConnectColumn

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
    include_path=sparkconnect.PACKAGE_PATH,
    dependencies=["spark"],
)
