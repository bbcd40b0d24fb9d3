"""The comparison of two builds sees what differs, and nothing else."""

import importlib.util
import sys
from types import ModuleType

import duckdb
import pytest
from conftest import REPOSITORY

ROWS = (
    "(date '2024-01-01', 'a', 1.5::double, 10.25::decimal(18, 4), 3),"
    "(date '2024-01-02', 'b', 'nan', 11.00, null),"
    "(date '2024-01-03', 'c', null, 12.00, 5)"
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = REPOSITORY / "engines" / "compare_marts.py"
    specification = importlib.util.spec_from_file_location("compare_marts", path)
    module = importlib.util.module_from_spec(specification)
    sys.modules["compare_marts"] = module
    specification.loader.exec_module(module)
    return module


def compared(
    tool: ModuleType, change: str = "", without: tuple = (), ties: dict | None = None
):
    """What is found of a mart and a copy of it that was changed."""
    connection = duckdb.connect()
    connection.execute("create schema one; create schema other")
    for schema in ("one", "other"):
        connection.execute(
            f"create table {schema}.mart as select day, who, rate,"
            f" money, n from (values {ROWS}) as t(day, who, rate, money, n)"
        )
    connection.execute(change)
    return tool.compare(
        connection,
        tool.Mart("mart", ("day", "who")),
        tool.of_catalogue("one"),
        tool.of_catalogue("other"),
        without,
        ties,
    )


def differences(tool: ModuleType, change: str = "", **said) -> list[str]:
    """What is said of the two."""
    return compared(tool, change, **said).differences


@pytest.mark.parametrize(
    "change",
    [
        "",
        "update other.mart set rate = rate * (1 + 9e-10)",
        "alter table other.mart alter n type bigint",
        "alter table other.mart alter money type decimal(38, 4)",
        "create or replace table other.mart as from other.mart order by day desc",
    ],
)
def test_the_same_is_the_same(tool, change):
    assert differences(tool, change) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update other.mart set rate = rate * (1 + 2e-9)", "rate differs in 1 rows"),
        ("update other.mart set rate = 0 where who = 'b'", "rate differs in 1 rows"),
        ("update other.mart set rate = 0 where who = 'c'", "rate differs in 1 rows"),
        ("update other.mart set rate = 'inf' where who = 'a'", "rate differs"),
        ("update other.mart set money = 10.2501 where who = 'a'", "money differs"),
        ("update other.mart set n = null where who = 'c'", "n differs"),
        ("delete from other.mart where who = 'a'", "1 rows are missing"),
        ("insert into other.mart from other.mart limit 1", "1 rows are too many"),
        ("update other.mart set who = 'z' where who = 'a'", "1 rows are missing"),
        ("alter table other.mart alter rate type varchar", "rate is DOUBLE and"),
        ("alter table other.mart alter money type decimal(18, 2)", "money is DECIMAL"),
        ("alter table other.mart drop n", "columns differ: n"),
        ("drop table other.mart", "actual can't be read"),
    ],
)
def test_what_differs_is_named(tool, change, said):
    assert differences(tool, change)[0].startswith(said)


def test_columns_may_be_left_out(tool):
    assert differences(tool, "update other.mart set n = 7", without=("n",)) == []


def test_the_largest_difference_that_is_let_pass_is_told(tool):
    change = "update other.mart set rate = rate * (1 + 9e-10)"
    assert compared(tool, change).largest_relative == pytest.approx(9e-10, rel=1e-3)
    assert compared(tool).largest_relative == 0


@pytest.mark.parametrize(("apart", "is_let_pass"), [(0.0001, True), (0.0002, False)])
def test_a_tie_is_let_pass_and_told(tool, apart, is_let_pass):
    change = f"update other.mart set money = money + {apart} where who != 'b'"
    found = compared(tool, change, ties={"money": 0.0001})
    assert found.ties == (["money in 2 rows"] if is_let_pass else [])
    assert bool(found.differences) is not is_let_pass


def test_nothing_is_no_tie(tool):
    change = "update other.mart set money = null where who = 'a'"
    assert differences(tool, change, ties={"money": 0.0001})
