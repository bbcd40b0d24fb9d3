"""The project obeys its rules, and each rule can fail."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import project_rules
import pytest
import superset_assets
import yaml
from conftest import PARSED_SETTINGS, REPOSITORY, Warehouse
from project_rules import Manifest, Rule, flatten, reused_aliases

# -- The project --------------------------------------------------------------------


@pytest.fixture(scope="session")
def parsed_project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Return the path of the project's manifest and what parsing warned of."""
    target = tmp_path_factory.mktemp("parsed_project")
    warnings = project_rules.parse(project_rules.PROJECT_DIR, target)
    return target / "manifest.json", warnings


@pytest.fixture(scope="session")
def project(parsed_project: tuple[Path, list[str]]) -> Manifest:
    """Return the project's manifest with its settings."""
    path, warnings = parsed_project
    assert path.exists(), "\n".join(["dbt cannot parse the project:", *warnings])
    return project_rules.load_manifest(path, project_rules.PROJECT_DIR)


@pytest.mark.parametrize("rule", project_rules.RULES, ids=lambda rule: rule.__name__)
def test_the_project_obeys(rule: Rule, project: Manifest) -> None:
    findings = rule(project)
    assert not findings, "\n- ".join([rule.__doc__ or "", *findings])


def test_dbt_parses_the_project_without_a_warning(
    parsed_project: tuple[Path, list[str]],
) -> None:
    _, warnings = parsed_project
    assert not warnings, "\n- ".join(["", *warnings])


# each that changes nothing of what dbt parses (conftest.py), unlike its default
OTHER_SETTINGS = {
    "as_of_date": "2025-01-01",
    "holdout_days": 100,
    "input_columns": {"orders": {"order_id": "No"}},
    "customers_is_complete": True,
    "match_customers": "email",
    "match_customers_at_most": 3,
    "orders_maximum_age_days": 5,
    "inputs_minimum_rows": {"orders": 10},
    "inputs_minimum_share_of_last_build": 0.9,
    "inputs_maximum_rejected_rate": {"orders": 0.02},
    "reporting_currency": "USD",
    "default_margin_rate": 0.5,
    "value_horizon_months": 6,
    "churn_inactivity_days": 40,
    "relationship": "contractual",
    "rfm_bins": 4,
    "learn_sample_customers": 1000,
    "value_tier_quantiles": {"high": 0.2, "medium": 0.2},
    "value_tier_thresholds": {"high": 500, "medium": 100},
    "attribution_window_days": 30,
    "experiment_window_days": 30,
    "experiment_split": {"newsletter": {"control": 1, "letter": 9}},
    "budget_amount": 100,
    "contact_cooldown_days": 10,
    "contact_cap_per_year": 4,
}


def test_other_settings_change_nothing_that_is_parsed(
    project: Manifest, workbench: Path
) -> None:
    """So tests with such settings can share what was parsed without them."""
    settings = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["vars"]
    del settings["dbt_project_evaluator"]  # another project's
    assert {*OTHER_SETTINGS, *PARSED_SETTINGS} == settings.keys()
    assert not [k for k, v in OTHER_SETTINGS.items() if settings[k] == v]
    empty = Warehouse(workbench / "none.duckdb", workbench)
    assert empty.dbt("parse", settings=OTHER_SETTINGS).succeeded
    path = empty.target(OTHER_SETTINGS) / "manifest.json"
    manifest = json.loads(path.read_text())
    for group in ("nodes", "sources", "exposures", "macros", "unit_tests", "disabled"):
        now, before = manifest[group], project[group]
        assert now.keys() == before.keys()
        assert not [x for x in now if of_any_build(now[x]) != of_any_build(before[x])]


def of_any_build(parsed: Any) -> Any:
    """What was parsed, without when and for which warehouse."""
    if isinstance(parsed, dict):
        build = ("created_at", "build_path", "database", "relation_name")
        return {k: of_any_build(v) for k, v in parsed.items() if k not in build}
    if isinstance(parsed, list):
        return [of_any_build(x) for x in parsed]
    return parsed


def test_superset_assets_are_what_make_superset_assets_writes(
    project: Manifest,
) -> None:
    """So descriptions of columns, and charts, cannot differ from their source."""
    written = {
        str(path.relative_to(superset_assets.ASSETS)): path.read_text(encoding="utf-8")
        for path in superset_assets.ASSETS.rglob("*.yaml")
    }
    made = superset_assets.assets(project)
    assert written == {
        name: superset_assets.written(asset) for name, asset in made.items()
    }


# -- A small project that obeys every rule, as a manifest ---------------------------

SQL = (
    "with final as (\n    select order_id from {{ ref('x') }}\n)\n\nselect * from final"
)
TESTS_OF_A_KEY = ("unique", "not_null")


def add(manifest: Manifest, group: str, resource: dict[str, Any]) -> None:
    """Add a resource, under its id, to a group of a manifest."""
    resource = {"package_name": "shop", **resource}
    manifest[group][resource["unique_id"]] = resource


def add_source(manifest: Manifest, name: str, **changes: Any) -> None:
    """Add a table of the source shop."""
    source = {
        "unique_id": f"source.shop.shop.{name}",
        "resource_type": "source",
        "source_name": "shop",
        "name": name,
        "database": "warehouse",
        "schema": "raw",
        "identifier": name,
        "description": "One row per order.",
        "source_description": "The raw data of a shop.",
        "original_file_path": "models/staging/shop/_shop__sources.yml",
        "freshness": {"warn_after": {"count": 2, "period": "day"}},
        "config": {},
    }
    add(manifest, "sources", source | changes)


def add_model(manifest: Manifest, path: str, reads: list[str], **changes: Any) -> None:
    """Add a table with a tested key; `path` is its file's without models/ and .sql."""
    folder, name = path.rsplit("/", 1)
    model = {
        "unique_id": f"model.shop.{name}",
        "resource_type": "model",
        "name": name,
        "original_file_path": f"models/{path}.sql",
        "language": "sql",
        "raw_code": SQL,
        "depends_on": {"nodes": reads, "macros": []},
        "description": "One row per order.",
        "columns": {
            "order_id": {
                "name": "order_id",
                "description": "Identifies the order.",
                "data_type": "varchar",
            }
        },
        "access": "private",
        "tags": [],
        "config": {"materialized": "table", "contract": {"enforced": False}},
    }
    add(manifest, "nodes", model | changes)
    for test in TESTS_OF_A_KEY:
        add_test(manifest, test, name, f"models/{folder}/_models.yml")


def add_test(manifest: Manifest, test: str, model: str, path: str) -> None:
    """Add a generic test of a model's order_id."""
    test_node = {
        "unique_id": f"test.shop.{test}_{model}_order_id",
        "resource_type": "test",
        "name": f"{test}_{model}_order_id",
        "original_file_path": path,
        "attached_node": f"model.shop.{model}",
        "column_name": "order_id",
        "test_metadata": {"name": test},
        "depends_on": {
            "nodes": [f"model.shop.{model}"],
            "macros": [f"macro.dbt.test_{test}", "macro.dbt.get_where_subquery"],
        },
    }
    add(manifest, "nodes", test_node)


def add_exposure(manifest: Manifest, name: str, reads: list[str]) -> None:
    """Add a dashboard."""
    exposure = {
        "unique_id": f"exposure.shop.{name}",
        "resource_type": "exposure",
        "name": name,
        "original_file_path": "models/marts/_exposures.yml",
        "depends_on": {"nodes": reads, "macros": []},
    }
    add(manifest, "exposures", exposure)


def add_macro(manifest: Manifest, path: str, **changes: Any) -> None:
    """Add a macro with one argument; `path` is its file's without macros/ and .sql."""
    name = path.rsplit("/", 1)[-1]
    macro = {
        "unique_id": f"macro.shop.{name}",
        "resource_type": "macro",
        "name": name,
        "original_file_path": f"macros/{path}.sql",
        "macro_sql": f"{{% macro {name}(x) -%}} abs({{{{ x }}}}) {{%- endmacro %}}",
        "description": "The size of a number.",
        "arguments": [{"name": "x", "type": "string", "description": "A number."}],
    }
    add(manifest, "macros", macro | changes)


SOURCE = "source.shop.shop.orders"
STAGING = "model.shop.stg_shop__orders"
INTERMEDIATE = "model.shop.int_orders_valued"
MART = "model.shop.fct_orders"
SEED = {"unique_id": "seed.shop.rates", "resource_type": "seed", "name": "rates"}


@pytest.fixture
def shop() -> Manifest:
    """Return a manifest that obeys: source -> staging -> intermediate -> mart."""
    groups = ("nodes", "sources", "exposures", "metrics", "macros")
    manifest: Manifest = {group: {} for group in groups}
    manifest["metadata"] = {"project_name": "shop"}
    manifest["settings"] = dict(project_rules.DEFAULT_SETTINGS)
    add_source(manifest, "orders")
    add_model(manifest, "staging/shop/stg_shop__orders", [SOURCE])
    add_model(manifest, "intermediate/int_orders_valued", [STAGING])
    config = {"materialized": "table", "contract": {"enforced": True}}
    public = {"access": "public", "config": config}
    add_model(manifest, "marts/core/fct_orders", [INTERMEDIATE], **public)
    add_exposure(manifest, "orders_dashboard", [MART])
    add_macro(manifest, "statistics/size")
    return manifest


@pytest.mark.parametrize("rule", project_rules.RULES, ids=lambda rule: rule.__name__)
def test_a_project_that_obeys_is_not_reported(rule: Rule, shop: Manifest) -> None:
    assert rule(shop) == []


# -- Each rule can fail -------------------------------------------------------------

Change = Callable[[Manifest], Any]


def reads(child: str, *more: str) -> Change:
    """Return a change that gives a model some more parents."""
    return lambda m: m["nodes"][child]["depends_on"]["nodes"].extend(more)


def sets(group: str, resource: str, **values: Any) -> Change:
    """Return a change of some values of a resource."""
    return lambda m: m[group][resource].update(values)


def without_test(test: str) -> Change:
    """Return a change that drops a test of the mart."""
    return lambda m: m["nodes"].pop(f"test.shop.{test}_fct_orders_order_id")


def with_column(name: str, data_type: str, model: str = MART) -> Change:
    """Return a change that adds a column."""
    column = {"name": name, "description": "A column.", "data_type": data_type}
    return lambda m: m["nodes"][model]["columns"].update({name: column})


def with_code(code: str) -> Change:
    """Return a change of the mart's code."""
    return sets("nodes", MART, raw_code=code)


def with_views(count: int) -> Change:
    """Return a change that puts a mart at the end of a chain of views."""

    def change(manifest: Manifest) -> None:
        view = {"config": {"materialized": "view", "contract": {}}}
        parent = STAGING
        for number in range(count):
            add_model(manifest, f"intermediate/int_view_{number}", [parent], **view)
            parent = f"model.shop.int_view_{number}"
        manifest["nodes"][INTERMEDIATE]["depends_on"]["nodes"] = [parent]

    return change


def with_models(path: str, count: int, parents: list[str]) -> Change:
    """Return a change that adds some models with the same parents."""

    def change(manifest: Manifest) -> None:
        for number in range(count):
            add_model(manifest, f"{path}_{number}", parents)

    return change


def with_all(*changes: Change) -> Change:
    """Return several changes as one."""
    return lambda m: [change(m) for change in changes]


NO_CONTRACT = {"materialized": "table", "contract": {"enforced": False}}
BARE_COLUMN = {"order_id": {"name": "order_id", "description": ""}}

BROKEN: dict[str, Change] = {
    "direct_join_to_source": reads(MART, SOURCE),
    "marts_or_intermediate_dependent_on_source": reads(INTERMEDIATE, SOURCE),
    "duplicate_sources": lambda m: add_source(m, "orders_again", identifier="ORDERS"),
    "hard_coded_references": with_code("select order_id from raw.orders"),
    "model_fanout": with_models("marts/fct_more", 3, [INTERMEDIATE]),
    "multiple_sources_joined": with_all(
        lambda m: add_source(m, "customers"),
        reads(STAGING, "source.shop.shop.customers"),
    ),
    "rejoining_of_upstream_concepts": reads(MART, STAGING),
    "root_models": with_models("intermediate/int_alone", 1, []),
    "source_fanout": with_models("staging/shop/stg_shop__twin", 1, [SOURCE]),
    "staging_dependent_on_marts_or_intermediate": with_models(
        "staging/shop/stg_shop__late", 1, [INTERMEDIATE]
    ),
    "staging_dependent_on_staging": with_models(
        "staging/shop/stg_shop__second", 1, [STAGING]
    ),
    "too_many_joins": with_all(
        with_models("intermediate/int_part", 6, [STAGING]),
        reads(MART, *(f"model.shop.int_part_{number}" for number in range(6))),
    ),
    "unused_sources": lambda m: add_source(m, "customers"),
    "missing_primary_key_tests": without_test("not_null"),
    "test_coverage": with_all(*map(without_test, TESTS_OF_A_KEY)),
    "sources_without_freshness": sets(
        "sources", SOURCE, freshness={"warn_after": {"count": None, "period": None}}
    ),
    "documentation_coverage": sets("nodes", STAGING, description=""),
    "undocumented_models": sets("nodes", STAGING, description=" "),
    "undocumented_source_tables": sets("sources", SOURCE, description=""),
    "undocumented_sources": sets("sources", SOURCE, source_description=""),
    "model_naming_conventions": with_models("marts/orders", 1, [INTERMEDIATE]),
    "model_directories": with_models("marts/int_orders", 1, [STAGING]),
    "source_directories": sets(
        "sources", SOURCE, original_file_path="models/staging/_sources.yml"
    ),
    "test_directories": lambda m: add_test(
        m, "unique", "fct_orders", "models/marts/_marts__models.yml"
    ),
    "chained_views_dependencies": with_views(6),
    "exposure_parents_materializations": sets(
        "nodes", MART, config={"materialized": "view", "contract": {"enforced": True}}
    ),
    "public_models_without_contract": sets("nodes", MART, config=NO_CONTRACT),
    "undocumented_public_models": sets("nodes", MART, columns=BARE_COLUMN),
    "exposures_dependent_on_private_models": sets("nodes", MART, access="protected"),
    "sql_is_portable": with_code("select order_id::integer from {{ ref('x') }}"),
    "models_read_no_clock": sets(
        "nodes",
        MART,
        depends_on={"nodes": [INTERMEDIATE], "macros": ["macro.shop.check_inputs"]},
    ),
    "columns_are_written_out": with_code("select * from {{ ref('x') }}"),
    "aliases_are_not_reused": with_code("select a + 1 as b, b * 2 as c from t"),
    "descriptions_open_with_the_grain": sets("nodes", STAGING, description="Orders."),
    "columns_are_described": sets("nodes", STAGING, columns=BARE_COLUMN),
    "marts_are_public_and_contracted": sets("nodes", MART, access="protected"),
    "macros_are_documented": sets("macros", "macro.shop.size", description=""),
    "column_names_tell_the_type": with_column("is_guest", "integer"),
    "weekly_models_are_apart": sets("nodes", INTERMEDIATE, tags=["weekly"]),
    "column_types_agree": with_all(
        with_column("order_value", "double"),
        with_column("order_value", "decimal(18, 4)", STAGING),
        sets("nodes", STAGING, access="public"),
    ),
}


def test_each_rule_has_a_project_that_breaks_it() -> None:
    assert list(BROKEN) == [rule.__name__ for rule in project_rules.RULES]


@pytest.mark.parametrize("rule", project_rules.RULES, ids=lambda rule: rule.__name__)
def test_a_project_that_breaks_the_rule_is_reported(rule: Rule, shop: Manifest) -> None:
    BROKEN[rule.__name__](shop)
    assert rule(shop) != []


# -- What exactly the rules mean ----------------------------------------------------


def findings(rule: str, manifest: Manifest, *changes: Change) -> list[str]:
    """Return what a rule finds after some changes."""
    for change in changes:
        change(manifest)
    return getattr(project_rules, rule)(manifest)


def test_a_model_between_that_two_models_read_is_no_rejoining(shop: Manifest) -> None:
    other = with_models("marts/fct_other", 1, [INTERMEDIATE])
    rule = "rejoining_of_upstream_concepts"
    assert not findings(rule, shop, reads(MART, STAGING), other)


def test_tests_and_exposures_do_not_make_a_rejoining_good(shop: Manifest) -> None:
    add_exposure(shop, "second_dashboard", [INTERMEDIATE])
    rule = "rejoining_of_upstream_concepts"
    assert findings(rule, shop, reads(MART, STAGING)) == [
        "int_orders_valued is read by fct_orders alone,"
        " which reads stg_shop__orders too"
    ]


def test_an_exposure_of_a_mart_and_its_parent_is_no_rejoining(shop: Manifest) -> None:
    add_exposure(shop, "second_dashboard", [MART, INTERMEDIATE])
    assert not findings("rejoining_of_upstream_concepts", shop)


def test_a_seed_read_twice_on_one_path_is_a_rejoining(shop: Manifest) -> None:
    add(shop, "nodes", SEED)
    seed = SEED["unique_id"]
    change = with_all(reads(MART, seed), reads(INTERMEDIATE, seed))
    assert findings("rejoining_of_upstream_concepts", shop, change)


def test_what_only_learners_read_is_not_built_daily(shop: Manifest) -> None:
    rule = "weekly_models_are_apart"
    assert findings(rule, shop, sets("nodes", MART, tags=["learn"])) == [
        "int_orders_valued is read by fct_orders alone"
    ]


def test_a_daily_mart_may_be_read_by_weekly_models_alone(shop: Manifest) -> None:
    weekly = with_models("marts/fct_more", 1, [MART])
    tagged = sets("nodes", "model.shop.fct_more_0", tags=["weekly"])
    assert not findings("weekly_models_are_apart", shop, with_all(weekly, tagged))


def test_fanout_counts_only_children_without_children(shop: Manifest) -> None:
    two_more = with_models("marts/fct_more", 2, [INTERMEDIATE])
    child = with_models("marts/fct_last", 1, ["model.shop.fct_more_0"])
    assert findings("model_fanout", shop, two_more)
    assert not findings("model_fanout", shop, child)


def test_an_exposure_leaves_a_model_at_the_end(shop: Manifest) -> None:
    add_exposure(shop, "second_dashboard", ["model.shop.fct_more_0"])
    two_more = with_models("marts/fct_more", 2, [INTERMEDIATE])
    assert findings("model_fanout", shop, two_more)


def test_thresholds_come_from_the_settings(shop: Manifest) -> None:
    shop["settings"]["models_fanout_threshold"] = 5
    three_more = with_models("marts/fct_more", 3, [INTERMEDIATE])
    assert not findings("model_fanout", shop, three_more)


def test_a_chain_of_five_views_is_short_enough(shop: Manifest) -> None:
    assert not findings("chained_views_dependencies", shop, with_views(5))


def test_a_table_breaks_a_chain_of_views(shop: Manifest) -> None:
    table = sets("nodes", "model.shop.int_view_3", config=NO_CONTRACT)
    assert not findings("chained_views_dependencies", shop, with_views(8), table)


def test_a_seed_beside_a_source_is_no_direct_join(shop: Manifest) -> None:
    add(shop, "nodes", SEED)
    change = reads(STAGING, SEED["unique_id"])
    assert not findings("direct_join_to_source", shop, change)


def test_a_base_model_may_feed_staging(shop: Manifest) -> None:
    add_model(shop, "staging/shop/base/base_shop__orders", [SOURCE])
    shop["nodes"][STAGING]["depends_on"]["nodes"] = ["model.shop.base_shop__orders"]
    for rule in project_rules.RULES:
        assert rule(shop) == []


def test_staging_through_base_still_lies_in_the_folder_of_its_source(
    shop: Manifest,
) -> None:
    add_model(shop, "staging/shop/base/base_shop__orders", [SOURCE])
    add_model(shop, "staging/stg_orders", ["model.shop.base_shop__orders"])
    assert findings("model_directories", shop) == [
        "models/staging/stg_orders.sql reads the source shop"
        " but lies outside a folder of its name"
    ]


def test_prefixes_and_folders_come_from_the_settings(shop: Manifest) -> None:
    model = with_models("learned/ml_tree", 1, [INTERMEDIATE])
    assert findings("model_naming_conventions", shop, model)
    shop["settings"]["intermediate_prefixes"] = ["int_", "ml_"]
    assert not findings("model_naming_conventions", shop)
    shop["settings"]["intermediate_folder_name"] = "learned"
    assert not findings("model_directories", shop, sets("nodes", INTERMEDIATE))


def test_the_time_spine_needs_neither_parents_nor_prefix(shop: Manifest) -> None:
    add_model(shop, "semantic/metricflow_time_spine", [])
    assert not findings("root_models", shop)
    assert not findings("model_naming_conventions", shop)


def test_unique_and_not_null_of_two_columns_are_no_key(shop: Manifest) -> None:
    test = shop["nodes"]["test.shop.unique_fct_orders_order_id"]
    test["column_name"] = "order_number"
    assert findings("missing_primary_key_tests", shop)


def test_a_not_null_constraint_stands_for_its_test(shop: Manifest) -> None:
    shop["nodes"][MART]["columns"]["order_id"]["constraints"] = [{"type": "not_null"}]
    assert not findings("missing_primary_key_tests", shop, without_test("not_null"))


def test_a_key_test_of_the_project_counts_once_it_is_set(shop: Manifest) -> None:
    without_test("unique")(shop)
    grain = shop["nodes"]["test.shop.not_null_fct_orders_order_id"]
    grain["column_name"] = None
    grain["depends_on"]["macros"] = ["macro.shop.test_grain"]
    assert findings("missing_primary_key_tests", shop)
    shop["settings"]["primary_key_test_macros"].append(["shop.test_grain"])
    assert not findings("missing_primary_key_tests", shop)


def test_a_singular_test_covers_the_last_model_it_reads(shop: Manifest) -> None:
    test = {
        "unique_id": "test.shop.money_is_kept",
        "resource_type": "test",
        "name": "money_is_kept",
        "original_file_path": "tests/singular/money_is_kept.sql",
        "depends_on": {"nodes": [STAGING, MART], "macros": []},
    }
    for name in TESTS_OF_A_KEY:
        without_test(name)(shop)
    assert findings("test_coverage", shop)
    add(shop, "nodes", test)
    assert not findings("test_coverage", shop)
    assert not findings("test_directories", shop)


def test_an_engine_of_a_macro_is_documented_with_the_macro(shop: Manifest) -> None:
    add_macro(shop, "engines/default__size", description="", arguments=[])
    add_macro(shop, "engines/duckdb__size", description="", arguments=[])
    assert not findings("macros_are_documented", shop)


@pytest.mark.parametrize("key", ["type", "description"])
def test_an_argument_has_a_type_and_a_description(key: str, shop: Manifest) -> None:
    shop["macros"]["macro.shop.size"]["arguments"][0][key] = None
    assert findings("macros_are_documented", shop)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("is_guest", "boolean", "integer"),
        ("has_consent", "boolean", "varchar"),
        ("order_date", "date", "timestamp"),
        ("cohort_month", "date", "integer"),
        ("ordered_at", "timestamp", "date"),
        ("order_count", "bigint", "double"),
        ("order_count", "integer", "decimal(18, 4)"),
    ],
)
def test_a_name_tells_the_type(
    name: str, right: str, wrong: str, shop: Manifest
) -> None:
    rule = "column_names_tell_the_type"
    assert not findings(rule, shop, with_column(name, right))
    assert findings(rule, shop, with_column(name, wrong))


def test_a_type_may_be_spelled_with_spaces(shop: Manifest) -> None:
    public = sets("nodes", STAGING, access="public")
    one = with_column("order_value", "decimal(18,4)")
    other = with_column("order_value", "DECIMAL(18, 4)", STAGING)
    assert not findings("column_types_agree", shop, public, one, other)


@pytest.mark.parametrize(
    "code",
    [
        "select order_id from raw.orders",
        "select order_id from warehouse.raw.orders",
        "select order_id from a\njoin `raw`.[orders] on true",
        "select order_id from 'orders'",
        "select order_id from {{ var('orders_table') }}",
        "select order_id from {{ var('orders_table', 'orders') }}",
        "-- copied from raw.orders to be safe\nselect 1 as one",
    ],
)
def test_a_table_named_in_text_is_reported(code: str, shop: Manifest) -> None:
    assert findings("hard_coded_references", shop, with_code(code))


@pytest.mark.parametrize(
    "code",
    [
        "select orders.order_id from orders",
        "select order_id from {{ ref('stg_shop__orders') }}",
        "select a.x is distinct from b.x as is_new from a cross join b",
        "select extract(year from orders.ordered_at) as order_year from orders",
    ],
)
def test_a_table_of_the_query_is_not_reported(code: str, shop: Manifest) -> None:
    assert not findings("hard_coded_references", shop, with_code(code))


# -- Portability --------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        "date_trunc('month', ordered_at)",
        "date_diff('day', a, b)",
        "ordered_at + interval 1 day",
        "ordered_at + interval '1 day'",
        "orders.order_date - orders.cohort_month",
        "x - first_date",
        "strftime(ordered_at, '%Y')",
        "median(amount)",
        "quantile_cont(amount, 0.5)",
        "percentile_cont(0.5) within group (order by amount)",
        "unnest(range(10))",
        "generate_series(1, 10)",
        "string_agg(name, ',')",
        "list(name)",
        "arg_max(name, amount)",
        "max_by(name, amount)",
        "count_if(amount > 0)",
        "sum(amount) filter (where amount > 0)",
        "amount::integer",
        "try_cast(amount as integer)",
        "cast(amount as double)",
        "cast(amount as text)",
        "cast(amount as varchar)",
        "amount / 2",
        "round(amount, 2)",
        "round(coalesce(abs(amount), 0), 2)",
        "count(*) from t group by all",
        "row_number() over (order by amount) as n from t qualify n = 1",
        "sum(amount) over days as n from t window days as (order by day)",
        "1 as n union select 2",
        "1 as n from t), sample as (select 1",
        "t.* exclude (amount)",
        'amount as "Amount"',
        "current_date",
        "current_timestamp",
        "now()",
        "random()",
        "{{ ratio('median(amount)', '1') }}",
        "{{ ratio('a', 'b / c') }}",
        "{{ ratio('sum(' ~ 'a' ~ ') / 2', '1') }}",
        "{{ dbt.current_timestamp() }}",
        "{{ dbt.safe_cast('amount', 'integer') }}",
        "cast(amount as {{ dbt.type_float() }})",
        "{{ dbt.date_spine('day', 'a', 'b') }}",
        "{% if target.type == 'duckdb' %} 1 {% endif %}",
        "{% set half = 'amount / 2' %}{{ half }}",
        "'{{ run_started_at }}'",
    ],
)
def test_sql_of_one_engine_is_reported(column: str, shop: Manifest) -> None:
    assert findings("sql_is_portable", shop, with_code(f"select {column}"))


@pytest.mark.parametrize(
    "column",
    [
        "{{ month_start('ordered_at') }}",
        "{{ dbt.datediff('first_date', 'last_date', 'day') }}",
        "cast({{ dbt.dateadd('day', 1, 'order_date') }} as date)",
        "{{ try_cast('amount', 'integer') }}",
        "cast(amount as {{ type_double() }})",
        "cast(name as {{ dbt.type_string() }})",
        "cast(amount as bigint)",
        "{{ ratio('sum(amount)', 'count(*)') }}",
        "{{ ratio('abs(' ~ money('a') ~ ' * ' ~ money('b') ~ ')', '2') }}",
        "{{ days // 7 / 2 }}",
        "round(power(amount, 2))",
        "extract(year from ordered_at)",
        "sum(amount) over (order by n range between 1 preceding and current row)",
        "x is distinct from y",
        "'12 / 2, median(x) or now()'",
        "1 -- half: amount / 2, see date_trunc(x)",
        "1 /* now() */",
        "1 {# current_date #}",
        "{{ config(tags=['a/b'], pre_hook=\"{{ now('x') }}\") }} 1",
        "{{ exceptions.raise_compiler_error('use a date and/or interval') }} 1",
        "'{{ var(\"as_of_date\") }}'",
        '{% set note = "the customer\'s" %} 1',
    ],
)
def test_sql_of_every_engine_is_not_reported(column: str, shop: Manifest) -> None:
    assert not findings("sql_is_portable", shop, with_code(f"select {column}"))


@pytest.mark.parametrize(
    ("path", "is_linted"),
    [
        ("statistics/middle", True),
        ("middle", True),
        ("engines/middle", False),
        ("inputs/middle", False),
    ],
)
def test_only_engines_and_inputs_may_have_their_own_sql(
    path: str, is_linted: bool, shop: Manifest
) -> None:
    code = "{% macro middle(x) -%} median({{ x }}) {%- endmacro %}"
    add_macro(shop, path, macro_sql=code)
    assert bool(findings("sql_is_portable", shop)) == is_linted


def test_a_macro_may_divide_what_it_has_made_a_double(shop: Manifest) -> None:
    code = "{% macro half(x) -%} ({{ x }} * 1e0 / 2) {%- endmacro %}"
    add_macro(shop, "statistics/half", macro_sql=code)
    assert not findings("sql_is_portable", shop)


def test_a_python_model_is_not_read_as_sql(shop: Manifest) -> None:
    code = "def model(dbt, session):\n    return session.sql('select * from x::y')"
    change = sets("nodes", MART, language="python", raw_code=code)
    assert not findings("sql_is_portable", shop, change)
    assert not findings("columns_are_written_out", shop)


@pytest.mark.parametrize(
    "code",
    [
        "with x as (\n    select * from y\n)\n\nselect * from final",
        "with x as (\n    select distinct * from y\n)\n\nselect * from final",
        "with x as (\n    select a, * from y\n)\n\nselect * from final",
        "select * from x",
        "select * from final\nwhere true",
    ],
)
def test_a_star_is_reported(code: str, shop: Manifest) -> None:
    assert findings("columns_are_written_out", shop, with_code(code))


@pytest.mark.parametrize(
    "code",
    [
        "with final as (\n    select x.*, 1 as n from x\n)\n\nselect * from final",
        "{% set columns = ['a'] %}\nselect a * 2 as b from x\n\nselect * from final\n",
        "-- select * from x\nselect 1 as one",
    ],
)
def test_a_star_of_one_table_or_in_the_last_line_is_not_reported(
    code: str, shop: Manifest
) -> None:
    assert not findings("columns_are_written_out", shop, with_code(code))


@pytest.mark.parametrize(
    ("code", "reused"),
    [
        ("select a + 1 as b, b * 2 as c from t", ["b"]),
        ("select a + 1 as b from t where b > 0", ["b"]),
        ("select sum(a) as b from t group by c having b > 0", ["b"]),
        ("select sum(a) as b, rank() over (order by b) as c from t", ["b"]),
        ("select a as b, {{ ratio('b', '2') }} as c from t", ["b"]),
        ("select x from (select a as b, b as c from t) as u", ["b"]),
        # the second select reads what the first has made
        ("with u as (select a as b from t) select b, b + 1 as c from u", []),
        ("select a as b from t union all select b from u where b > 0", []),
        # a column of the input of the same name
        ("select lower(b) as b, b || 'x' as c from t where b > 0", []),
        ("select a as b, t.b as c from t where t.b > 0", []),
        # after the select, the alias is known everywhere
        ("select a as b, count(*) as n from t group by b order by n", []),
        ("select a as max, max(b) as c from t", []),
        ("select x is distinct from b as c, a as b from t", []),
        ("select a as b from t where {{ is_new('a', 'b') }}", []),
    ],
)
def test_an_alias_read_in_its_own_select_is_reported(
    code: str, reused: list[str]
) -> None:
    assert reused_aliases(flatten(code)) == reused


# -- YAML keys ----------------------------------------------------------------------

PROJECT_YML = """
name: shop
version: "1.0"
profile: shop
flags: {send_anonymous_usage_stats: false}
"""
PROFILES_YML = """
shop:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: ":memory:"}
"""
MODELS_YML = """
models:
  - name: orders
    description: One row per order.
    config:
      materialized: table
    columns:
      - name: order_id
        description: Identifies the order.
        data_tests:
          - accepted_values:
              arguments: {values: [1]}
"""


def write_project(folder: Path, models_yml: str) -> None:
    """Write a project of one model."""
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text(PROJECT_YML)
    (folder / "profiles.yml").write_text(PROFILES_YML)
    (folder / "models" / "orders.sql").write_text("select 1 as order_id")
    (folder / "models" / "_models.yml").write_text(models_yml)


def test_yaml_without_mistakes_is_not_reported(tmp_path: Path) -> None:
    write_project(tmp_path, MODELS_YML)
    assert project_rules.parse(tmp_path, tmp_path / "target") == []


def test_each_misspelled_key_is_reported(tmp_path: Path) -> None:
    mistakes = {
        "description: One": "descriptoin: One",
        "materialized:": "materialised:",
        "description: Identifies": "describtion: Identifies",
    }
    models_yml = MODELS_YML
    for right, wrong in mistakes.items():
        models_yml = models_yml.replace(right, wrong)
    write_project(tmp_path, models_yml)
    found = project_rules.parse(tmp_path, tmp_path / "target")
    for wrong in ("descriptoin", "materialised", "describtion"):
        assert any(wrong in finding for finding in found), (wrong, found)


def test_a_project_that_does_not_parse_is_reported(tmp_path: Path) -> None:
    write_project(tmp_path, "models: [")
    assert project_rules.parse(tmp_path, tmp_path / "target") != []


# -- The command --------------------------------------------------------------------


def test_the_command_prints_what_it_finds(shop: Manifest, tmp_path: Path) -> None:
    add_model(shop, "intermediate/int_alone", [])
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(shop))
    command = [sys.executable, project_rules.__file__, path]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert "int_alone has no parents" in run.stdout
