"""No personal column, and no personal value, leaves staging."""

import json
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import Warehouse
from sqlglot import exp
from sqlglot.lineage import lineage

# Columns made from personal ones that are personal no more, and why. The walk stops at
# them; it must come by each, so that none stands here for nothing.
MADE_HARMLESS = {
    ("base_shop__customers", "rejection_reasons"): "codes, and the names of columns",
    ("base_shop__customers", "row_outcome"): "one of three words",
    ("int_commerce_rows_rejected", "row_content"): "without the keys that are personal",
    ("dim_customers", "age_band"): "about ten years of births in a band",
}


def personal_columns(manifest: dict) -> dict[tuple[str, str], set[str]]:
    """The columns that the contract tags, by relation (schema, name)."""
    return {
        (source["schema"], source["name"]): {
            column["name"]
            for column in source["columns"].values()
            if column["config"].get("meta", {}).get("personal")
        }
        for source in manifest["sources"].values()
    }


def in_order(manifest: dict) -> list[dict]:
    """The models, each after those it reads from."""
    models = {
        key: node
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    done: dict[str, dict] = {}

    def visit(key: str) -> None:
        if key in models and key not in done:
            for parent in models[key]["depends_on"]["nodes"]:
                visit(parent)
            done[key] = models[key]

    for key in models:
        visit(key)
    return list(done.values())


def columns_that_carry(model: dict, parents: list[dict], personal: dict) -> set[str]:
    """The columns of a model computed from personal columns of its parents."""
    schema: dict = {}
    for parent in parents:
        schema.setdefault(parent["schema"], {})[parent["name"]] = {
            column: "text" for column in parent["columns"]
        }
    carrying = set()
    for column in model["columns"]:
        for node in lineage(
            column,
            model["compiled_code"],
            schema={model["database"]: schema},
            dialect="duckdb",
        ).walk():
            name = node.name.split(".")[-1].strip('"')
            if isinstance(node.expression, exp.Table):
                relation = (node.expression.db, node.expression.name)
                if name in personal.get(relation, ()):
                    carrying.add(column)
            else:
                # a column whose table was not found would end the walk unseen
                assert not isinstance(node.expression, exp.Placeholder), (
                    model["name"],
                    column,
                    name,
                )
    return carrying


def follow(manifest: dict) -> tuple[dict[tuple[str, str], set[str]], set]:
    """Which columns carry something personal, and which were made harmless.

    What reaches a mart is not followed further: it is one too many.
    """
    personal, marts, harmless = personal_columns(manifest), {}, set()
    resources = manifest["nodes"] | manifest["sources"]
    for model in in_order(manifest):
        parents = [resources[key] for key in model["depends_on"]["nodes"]]
        if not any(personal.get((x["schema"], x["name"])) for x in parents):
            continue
        assert model["language"] == "sql", f"{model['name']} reads personal columns"
        assert "compiled_code" in model, f"{model['name']} was not compiled"
        carrying = columns_that_carry(model, parents, personal)
        made = {(model["name"], x) for x in carrying} & set(MADE_HARMLESS)
        harmless |= made
        found = marts if model["access"] == "public" else personal
        found[model["schema"], model["name"]] = carrying - {x for _, x in made}
    return personal | marts, harmless


@pytest.fixture(scope="module")
def manifest(workbench: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The project with the SQL of what can be reached from a personal column.

    Four steps from staging are more than a personal column goes; one that went further
    would meet a model without SQL, which fails.
    """
    empty = Warehouse(tmp_path_factory.mktemp("privacy") / "empty.duckdb", workbench)
    result = empty.dbt("compile", "--quiet", "--select", "base_shop__customers+4")
    assert result.succeeded, result.output
    return json.loads((empty.target() / "manifest.json").read_text())


def test_names_addresses_and_birthdays_are_tagged(manifest):
    assert personal_columns(manifest)["raw", "customers"] == {
        "name", "email", "phone", "birth_date",
    }  # fmt: skip


def test_no_personal_column_leaves_staging(manifest):
    personal, harmless = follow(manifest)
    assert {relation for relation, columns in personal.items() if columns} == {
        ("raw", "customers"),
        ("staging", "base_shop__customers"),
        ("staging", "stg_shop__customers"),
    }
    assert harmless == set(MADE_HARMLESS)


def test_a_personal_column_under_another_name_is_found(manifest):
    """The walk itself is tried: an e-mail that leaves as a remark, through two CTEs."""
    changed = json.loads(json.dumps(manifest))
    mart = changed["nodes"]["model.customer_lifetime.dim_customers"]
    mart["compiled_code"] = mart["compiled_code"].replace(
        "\n        interests,", "\n        name || ' ' || email as interests,"
    )
    assert "email as interests" in mart["compiled_code"]
    personal, _ = follow(changed)
    assert personal["main", "dim_customers"] == {"interests"}


DATE = re.compile(rb"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")


def texts_in(path: Path) -> bytes:
    """Everything that can be read in a file: its bytes, and its texts unpacked."""
    parts = [path.read_bytes()]
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table, column in connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns()"
                " join duckdb_tables() using (database_name, schema_name, table_name)"
                " where data_type in ('VARCHAR', 'DATE')"
            ).fetchall():
                parts += [
                    text.encode()
                    for (text,) in connection.execute(
                        f'select distinct "{column}"::varchar from "{schema}"."{table}"'
                        f' where "{column}" is not null'
                    ).fetchall()
                ]
    elif path.suffix == ".parquet":
        rows = duckdb.read_parquet(str(path)).fetchall()
        parts += [" ".join(map(str, row)).encode() for row in rows]
    return b"\n".join(parts)


def found(personal: set[str], files: list[Path]) -> dict[str, set[str]]:
    """Which personal values, or pieces of them, stand in which files."""
    result = {}
    for path in files:
        content = texts_in(path)
        dates = {value for value in personal if DATE.fullmatch(value.encode())}
        hits = {value for value in personal - dates if value.encode() in content}
        # thousands of them: not one search each
        hits |= dates & {date.decode() for date in DATE.findall(content)}
        if hits:
            result[path.name] = hits
    return result


def test_no_personal_value_is_in_a_published_file_or_an_export(demo, tmp_path):
    names, phones, births = (
        {value for (value,) in demo.query(query)}
        for query in (
            "select distinct name from staging.base_shop__customers"
            " where name like '% %'",
            # numbers differ in their last digits
            "select distinct left(phone, 9) from staging.base_shop__customers"
            " where length(phone) > 9",
            # before anything else happened
            "select distinct birth_date::varchar from staging.base_shop__customers"
            " where birth_date between date '1940-01-01' and date '1985-12-31'",
        )
    )
    assert len(names) > 50
    assert len(births) > 1000
    personal = names | phones | births | {"@example"}
    # of the file that BI tools open; it may not be written
    published = tmp_path / "published.duckdb"
    shutil.copyfile(demo.published / "customer_lifetime.duckdb", published)
    exports = sorted(demo.path.with_name("demo_in_progress.exports").iterdir())
    assert len(exports) == 12
    assert found(personal, [published, *exports]) == {}

    planted = tmp_path / "planted.parquet"
    duckdb.sql(f"copy (select 'bela@example.com' as offer) to '{planted}'")
    assert found(personal, [planted]) == {"planted.parquet": {"@example"}}
    with duckdb.connect(str(published)) as connection:
        who, born = max(names), max(births)
        connection.execute(f"create table note as select '{who}' x, date '{born}' y")
    assert found(personal, [published]) == {published.name: {who, born}}
