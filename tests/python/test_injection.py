"""What comes from a user becomes no SQL: it is quoted, or refused with advice.

A canary, a table that every hostile text would drop, must live through all of it.
"""

import json
import re
from types import SimpleNamespace

import duckdb
import input_files
import pytest
import yaml
from conftest import REPOSITORY, MacroProject, Warehouse, write_orders
from dbt_common.exceptions import DbtRuntimeError

HOSTILE = """it's "mine"; drop table canary; --"""
# not for vars: dbt itself evaluates what stands in theirs
JINJA = HOSTILE + " {{ 1 / 0 }}"
SELECT = ("--select", "+fct_orders", "+fct_rejected_rows")

SETTINGS = {
    name: value
    for name, value in yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())[
        "vars"
    ].items()
    if name != "dbt_project_evaluator"  # another project's
}
CODE = [
    path
    for folder in ("models", "macros", "python_models", "tests", "seeds")
    for pattern in ("*.sql", "*.yml")
    for path in (REPOSITORY / folder).rglob(pattern)
]
# Where a var is read as it is. All else goes through macros/settings.
READERS = {
    "macros/value/value_tier.sql",
    "macros/statistics/planned_parts.sql",
    "macros/inputs/open_inputs.sql",
    "macros/inputs/input_query.sql",
    # ask only whether it is null, or empty
    "models/marts/strategy/fct_audience_ledger.sql",
    "macros/watching/check_rejected_rows.sql",
    "tests/singular/volumes_are_within_the_threshold.sql",
    # have had it checked the line before
    "macros/watching/check_inputs.sql",
    # for Python, which makes a number of it
    "python_models/_learned__clusters__models.yml",
    "python_models/_learned__purchases__models.yml",
}
# a var as the argument of a macro of macros/settings, with all of the call
SETTING = re.compile(r"setting_\w+\(\s*['\"](\w+)['\"](?:[^()]|\([^()]*\))*\)")
# what is asked with a var of another form
CALLS = {
    "value_tier_quantiles": {"value_tier('1')"},
    "value_tier_thresholds": {"value_tier('1')"},
    "experiment_split": {"""planned_parts("'a'", "'b'")"""},
    "input_columns": {"open_inputs()"},
}
# a text, and the forms that some vars have
ATTACKS = [
    HOSTILE,
    {"high": "1 then 'x' end; drop table canary; --", "medium": 0},
    {"a": {"b": "1 end; drop table canary; --"}},
]


def calls() -> dict[str, set[str]]:
    """Every call of a macro of macros/settings in the project, by the var it names."""
    found = {name: set(texts) for name, texts in CALLS.items()}
    for path in CODE:
        for call in SETTING.finditer(path.read_text()):
            text = " ".join(call.group(0).split())
            if call.group(1) != "name":
                found.setdefault(call.group(1), set()).add(text)
    return found


def test_vars_are_read_by_what_checks_them_alone():
    folder = REPOSITORY / "macros" / "settings"
    for path in CODE:
        name = str(path.relative_to(REPOSITORY))
        if name not in READERS and path.parent != folder:
            assert not re.search(r"\bvar\(", path.read_text()), name


def test_every_var_is_checked_somewhere():
    """A new one too: by a macro of macros/settings, or by one that CALLS names."""
    assert SETTINGS.keys() == calls().keys()


@pytest.fixture(scope="module")
def canary_project(macro_project: MacroProject) -> MacroProject:
    """A project whose warehouse has the canary."""
    with duckdb.connect(str(macro_project.warehouse)) as connection:
        connection.execute("create table canary as select 1 as alive")
    return macro_project


def remove_models(project: MacroProject) -> None:
    """Leave none of an earlier run."""
    for path in (project.folder / "models").iterdir():
        path.unlink()


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_no_var_takes_a_hostile_value(attack, canary_project):
    """All of them have it at once, and each place that reads one is run by itself."""
    models, told = {}, {}
    for name, texts in calls().items():
        for number, text in enumerate(sorted(texts)):
            model = f"reads_{name}_{number}"
            models[model] = (
                f"{{% if execute %}}select {{{{ {text} }}}} as x{{% endif %}}"
            )
            told[model] = name
    # thresholds, where there are any, are asked before quantiles
    for without in ({}, {"value_tier_thresholds": None}):
        asked = {
            model: sql
            for model, sql in models.items()
            if not without or told[model] == "value_tier_quantiles"
        }
        remove_models(canary_project)
        canary_project.run(asked, dict.fromkeys(SETTINGS, attack) | without)
        results = canary_project.results()
        for model in asked:
            said = results[model]["message"]
            assert results[model]["status"] == "error", (model, said)
            var = told[model]
            if var == "value_tier_quantiles" and not without:
                var = "value_tier_thresholds"
            assert f"The var {var} " in said, model
        with duckdb.connect(str(canary_project.warehouse)) as connection:
            assert connection.execute("show tables").fetchall() == [("canary",)]


def test_names_of_experiments_are_quoted(canary_project):
    split = {HOSTILE: {"a' or true then 9 end; drop table canary; --": 7}}
    model = """select {{ planned_parts("'x'", "'y'") }} as parts"""
    remove_models(canary_project)
    tables = canary_project.tables({"split": model}, {"experiment_split": split})
    assert list(tables["split"].parts) == [1]
    with duckdb.connect(str(canary_project.warehouse)) as connection:
        assert connection.execute("from canary").fetchall() == [(1,)]


def test_a_number_that_reads_as_a_name_is_none(macro_project):
    values = [
        *(f"fromjson('{name}')" for name in ("NaN", "Infinity", "-Infinity")),
        *("true", "'1'", "1.5"),
    ]
    calls_of_each = [f"is_plain_number({value})" for value in values]
    remove_models(macro_project)
    assert macro_project.rendered(calls_of_each) == ["False"] * 5 + ["True"]


@pytest.mark.parametrize(
    ("warehouse", "limit", "variable"),
    [
        ("it's", "4GB", "CLV_WAREHOUSE"),
        ('x"; drop table canary; --', "4GB", "CLV_WAREHOUSE"),
        ("shop", "4GB'; drop table canary; --", "CLV_MEMORY_LIMIT"),
        ("shop", "much", "CLV_MEMORY_LIMIT"),
        ("My shop-2_ä", "1.5 GiB", None),
    ],
)
def test_a_connection_is_refused_what_dbt_would_put_into_its_sql(
    warehouse, limit, variable
):
    plugin = input_files.Plugin("input_files", {})
    credentials = SimpleNamespace(database=warehouse)
    try:
        plugin.update_connection_config(credentials, {"memory_limit": limit})
    except DbtRuntimeError as refused:
        assert variable in str(refused)
    else:
        assert variable is None


def test_a_file_is_written_where_its_path_says_and_nowhere_else(tmp_path, warehouse):
    """As the audiences are, to the folder CLV_EXPORTS."""
    put_canary(warehouse)
    folder = tmp_path / JINJA.replace("/", "-")
    folder.mkdir()
    arguments = {"query": "select 1 as x", "path": f"{folder}/a.csv", "format": "csv"}
    written = warehouse.dbt(
        "run-operation", "write_file", "--args", json.dumps(arguments)
    )
    assert written.succeeded, written.output
    assert [path.read_text() for path in folder.iterdir()] == ["x\n1\n"]
    with duckdb.connect(str(warehouse.path)) as connection:
        assert connection.execute("from canary").fetchall() == [(1,)]


def put_canary(warehouse: Warehouse) -> None:
    """Put the table there that a hostile text would drop."""
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("create table canary as select 1 as alive")


def lives(warehouse: Warehouse) -> bool:
    """Whether the canary is still there."""
    return warehouse.query("from canary") == [(1,)]


def test_folders_columns_and_values_are_no_sql(tmp_path, warehouse):
    columns = {
        "order_id": HOSTILE,
        "customer_id": 'x" from canary; drop table canary; --',
        "ordered_at": "when's",
        "amount": "paid `",
    }
    header = ",".join(
        '"' + column.replace('"', '""') + '"' for column in columns.values()
    )
    quoted = JINJA.replace('"', '""')
    shop = write_orders(
        tmp_path / JINJA.replace("/", "-"),
        [(f'"{quoted}"', f'"{quoted}"', "2024-01-05", "10.00")],
        header,
    )
    put_canary(warehouse)
    settings = {"input_columns": {"orders": columns}}
    warehouse.build(*SELECT, inputs=shop, settings=settings)
    assert warehouse.query("select order_id, customer_id from fct_orders") == [
        (JINJA, JINJA)
    ]
    assert lives(warehouse)


def test_a_schema_of_tables_is_no_sql(warehouse):
    schema = JINJA.replace('"', '""')
    put_canary(warehouse)
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute(f'create schema "{schema}"')
        connection.execute(f"""
            create table "{schema}".orders as
            select 'o1' as order_id, 'ann' as customer_id, 10 as amount,
                date '2024-01-05' as ordered_at, 1 as "x""; drop table canary; --"
        """)
    warehouse.build(*SELECT, environment={"CLV_INPUT_SCHEMA": JINJA})
    assert warehouse.query("select order_id from fct_orders") == [("o1",)]
    assert lives(warehouse)
