"""The adapter, as far as it goes without a cluster."""

import multiprocessing
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from dbt.adapters.factory import FACTORY
from dbt.adapters.sparkconnect import (
    ConnectJobHelper,
    SparkConnectAdapter,
    SparkConnectColumn,
    SparkConnectConnectionManager,
    SparkConnectCredentials,
    as_arrow,
)
from dbt_common.exceptions import DbtRuntimeError
from pyspark.sql.connect.session import SparkSession


def credentials(**settings) -> SparkConnectCredentials:
    profile = {"method": "thrift", "host": "h", "schema": "main", "remote": "sc://h:1"}
    return SparkConnectCredentials.from_dict(profile | settings)


def test_dbt_finds_the_adapter_by_its_name():
    assert FACTORY.load_plugin("sparkconnect") is SparkConnectCredentials
    plugin = FACTORY.get_plugin_by_name("sparkconnect")
    assert plugin.adapter is SparkConnectAdapter
    # so that macros named spark__x hold here
    assert FACTORY.get_adapter_package_names("sparkconnect") == [
        "dbt_sparkconnect",
        "dbt_spark",
        "dbt",
    ]
    assert FACTORY.get_adapter_type_names("sparkconnect") == ["sparkconnect", "spark"]


def test_parts_of_a_second_may_pass_between_two_looks():
    assert credentials(poll_interval=0.25).poll_interval == 0.25


@pytest.mark.parametrize(
    ("elsewhere", "spark"),
    [
        ("varchar", "string"),
        ("VARCHAR", "string"),
        ("double precision", "double"),
        ("decimal(18, 4)", "decimal(18, 4)"),
        ("bigint", "bigint"),
    ],
)
def test_types_of_other_engines_are_translated(elsewhere, spark):
    assert SparkConnectColumn.translate_type(elsewhere) == spark


def test_an_error_is_told_without_the_places_in_sparks_code():
    manager = SparkConnectConnectionManager(
        SimpleNamespace(credentials=credentials()), multiprocessing.get_context("spawn")
    )
    with (
        pytest.raises(DbtRuntimeError, match=r"^Runtime Error\n  no such table$"),
        manager.exception_handler("select 1"),
    ):
        raise RuntimeError("no such table\n\tat org.apache.spark.Here.it(Here.scala:1)")


def test_arrow_keeps_types_of_what_was_learned():
    learned = pd.DataFrame(
        {
            "name": pd.Series(["a", None], dtype="string"),
            "count": pd.Series([1, 2], dtype="int64"),
            "rate": [0.5, float("nan")],
            "is_new": [True, False],
            "covariance": [[1.0, 2.0], [3.0, 4.0]],
            "nothing": pd.Series([None, None], dtype="object"),
        }
    )
    table = as_arrow(learned)
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == {
        "name": pa.string(),
        "count": pa.int64(),
        "rate": pa.float64(),
        "is_new": pa.bool_(),
        "covariance": pa.list_(pa.float64()),
        "nothing": pa.string(),
    }
    # not a number is not known, as in DuckDB
    assert table.column("rate").to_pylist() == [0.5, None]
    assert duckdb.sql("select rate from learned").fetchall() == [(0.5,), (None,)]


def test_arrow_keeps_types_of_a_table_without_rows():
    learned = pd.DataFrame({"name": pd.Series(dtype="string"), "other": []})
    table = as_arrow(learned.astype({"other": "object"}))
    assert table.schema.types == [pa.string(), pa.string()]


class Session:
    """Stands for a session of Spark and remembers what is asked of it."""

    def __init__(self) -> None:
        self.saved = {}
        self.is_stopped = False

    def createDataFrame(self, table):  # noqa: N802
        session = self

        class Writer:
            def mode(self, how):
                return self

            format = mode

            def saveAsTable(self, relation):  # noqa: N802
                session.saved[relation] = table

        return SimpleNamespace(write=Writer())

    def stop(self):
        self.is_stopped = True


@pytest.fixture
def session(monkeypatch):
    one = Session()

    class Builder:
        def remote(self, address):
            assert address == "sc://h:1"
            return self

        def create(self):
            return one

    monkeypatch.setattr(SparkSession, "builder", Builder())
    return one


def test_a_model_runs_with_the_session_and_its_result_is_saved(session):
    code = (
        "import pandas\n"
        "def model(session):\n"
        "    return pandas.DataFrame({'n': [1 if session is spark else 0]})\n"
        "save(model(spark), 'learned.ml_x')\n"
    )
    ConnectJobHelper({"name": "ml_x"}, credentials()).submit(code)
    assert session.saved["learned.ml_x"].to_pylist() == [{"n": 1}]
    assert session.is_stopped


def test_an_error_of_a_model_is_dbts_error_and_ends_its_session(session):
    with pytest.raises(ZeroDivisionError):
        ConnectJobHelper({"name": "ml_x"}, credentials()).submit("1 / 0")
    assert session.is_stopped


def test_without_an_address_for_python_the_profile_is_named():
    with pytest.raises(DbtRuntimeError, match="remote"):
        ConnectJobHelper({"name": "ml_x"}, credentials(remote=None))
