"""House rules of the dbt project, checked on its manifest.

Three families of rules, each a function from the manifest to a list of findings:

- the rules of dbt-project-evaluator, written anew for a project that cannot install
  the package. Where its releases 1 and 2 differ, the stricter one is checked; its
  lists of exceptions and exclusions are not read;
- portability: SQL that every engine of the project runs, and no clock or dice;
- documentation: grains, contracts, columns and macros that say what they are;
  and what the selector `daily` leaves out.

A fourth, the spelling of YAML keys, comes from parsing the project (`parse`).

Run ``python tests/python/project_rules.py [manifest]`` for all findings at once.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

Manifest = dict[str, Any]
Rule = Callable[[Manifest], list[str]]

PROJECT_DIR = Path(__file__).resolve().parents[2]

RULES: list[Rule] = []

# The settings of dbt-project-evaluator and what they are if dbt_project.yml is silent.
DEFAULT_SETTINGS: dict[str, Any] = {
    "documentation_coverage_target": 100,
    "test_coverage_target": 100,
    "primary_key_test_macros": [
        ["dbt.test_unique", "dbt.test_not_null"],
        ["dbt_utils.test_unique_combination_of_columns"],
    ],
    "enforced_primary_key_node_types": ["model"],
    "models_fanout_threshold": 3,
    "too_many_joins_threshold": 7,
    "model_types": ["base", "staging", "intermediate", "marts", "other"],
    "base_folder_name": "base",
    "staging_folder_name": "staging",
    "intermediate_folder_name": "intermediate",
    "marts_folder_name": "marts",
    "base_prefixes": ["base_"],
    "staging_prefixes": ["stg_"],
    "intermediate_prefixes": ["int_"],
    "marts_prefixes": ["fct_", "dim_"],
    "other_prefixes": ["rpt_"],
    "chained_views_threshold": 5,
}

# The only model that may lack parents and prefix: MetricFlow wants it by this name.
TIME_SPINE = "metricflow_time_spine"


def rule(function: Rule) -> Rule:
    """Add a function to the rules that every run checks."""
    RULES.append(function)
    return function


# -- The project as a manifest ------------------------------------------------------

# dbt checks the keys of YAML files for the adapters of this set only; a project on
# DuckDB gets the same check by joining it.
_PARSE = """
import sys
from dbt.cli.main import dbtRunner
from dbt.jsonschemas import jsonschemas
jsonschemas._JSONSCHEMA_SUPPORTED_ADAPTERS.add("duckdb")
sys.exit(0 if dbtRunner().invoke(sys.argv[1:]).success else 1)
"""


def parse(project_dir: Path, target_dir: Path) -> list[str]:
    """Parse a project with every warning on, keys of YAML files included.

    Parameters
    ----------
    project_dir
        Folder of dbt_project.yml and profiles.yml.
    target_dir
        Folder that receives manifest.json and the logs.

    Returns
    -------
    list of str
        What ``dbt parse --warn-error`` would fail on, all of it rather than the
        first. Empty means that the project parses without a warning.
    """
    folders = ["--project-dir", project_dir, "--profiles-dir", project_dir]
    folders += ["--target-path", target_dir, "--log-path", target_dir]
    options = ["--log-format", "json", "--show-all-deprecations", "--no-partial-parse"]
    command = [sys.executable, "-c", _PARSE, "parse", *folders, *options]
    run = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        cwd=project_dir,
        env={**os.environ, "DO_NOT_TRACK": "1"},
    )
    findings = []
    for line in run.stdout.splitlines():
        try:
            event = json.loads(line)["info"]
        except (ValueError, KeyError):
            continue
        # the summary only repeats the deprecations before it
        if event["level"] in ("warn", "error") and "Summary" not in event["name"]:
            findings.append(" ".join(event["msg"].split()))
    if run.returncode != 0 and not findings:
        findings.append(f"dbt parse failed: {run.stderr.strip()[-2000:]}")
    return findings


def load_manifest(path: Path, project_dir: Path) -> Manifest:
    """Read a manifest and add the settings of dbt_project.yml, which it lacks."""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    project = yaml.safe_load((project_dir / "dbt_project.yml").read_text("utf-8"))
    settings = project.get("vars", {})
    manifest["settings"] = {
        **DEFAULT_SETTINGS,
        **settings,
        **settings.get("dbt_project_evaluator", {}),
    }
    return manifest


def setting(manifest: Manifest, name: str) -> Any:
    """Return a setting of dbt-project-evaluator, its default where none is given."""
    return manifest.get("settings", DEFAULT_SETTINGS).get(name)


def of_project(manifest: Manifest, group: str) -> list[dict[str, Any]]:
    """Return the resources of a group that the project itself defines."""
    project = manifest["metadata"]["project_name"]
    found = [x for x in manifest[group].values() if x["package_name"] == project]
    return sorted(found, key=lambda resource: resource["unique_id"])


def nodes(manifest: Manifest, *types: str) -> list[dict[str, Any]]:
    """Return the project's nodes (model, seed, snapshot, test) of the given types."""
    return [x for x in of_project(manifest, "nodes") if x["resource_type"] in types]


def name_of(resource: dict[str, Any]) -> str:
    """Return how people call a resource: a source by its source and table."""
    if resource["resource_type"] == "source":
        return f"{resource['source_name']}.{resource['name']}"
    return resource["name"]


def graph(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Return the resources between which lineage runs, by id: tests are not among."""
    resources = nodes(manifest, "model", "seed", "snapshot")
    for group in ("sources", "exposures", "metrics"):
        resources += of_project(manifest, group)
    return {resource["unique_id"]: resource for resource in resources}


def edges(manifest: Manifest) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return each pair of a resource and one that reads it directly, without tests."""
    resources = graph(manifest)
    return [
        (resources[parent], child)
        for child in resources.values()
        for parent in sorted(set(child.get("depends_on", {}).get("nodes", [])))
        if parent in resources
    ]


def parents(
    manifest: Manifest, child_types: tuple[str, ...], parent_types: tuple[str, ...]
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return each child of some types with its direct parents of some types."""
    found = defaultdict(list)
    for parent, child in edges(manifest):
        if child["resource_type"] in child_types:
            siblings = found[child["unique_id"]]
            if parent["resource_type"] in parent_types:
                siblings.append(parent)
    resources = graph(manifest)
    return [(resources[child], found[child]) for child in sorted(found)]


def as_list(value: str | list[str] | None) -> list[str]:
    """Return a setting that may be one text or several as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def listed(resources: list[dict[str, Any]]) -> str:
    """Return the names of some resources as one text."""
    return ", ".join(sorted(name_of(resource) for resource in resources))


def prefix_layer(manifest: Manifest, model: dict[str, Any]) -> str | None:
    """Return the layer that a model's name says it belongs to."""
    prefix = model["name"].split("_")[0] + "_"
    for layer in setting(manifest, "model_types"):
        if prefix in as_list(setting(manifest, f"{layer}_prefixes")):
            return layer
    return None


def folder_layer(manifest: Manifest, model: dict[str, Any]) -> str | None:
    """Return the layer that a model's innermost layer folder says it belongs to."""
    layers = {
        setting(manifest, f"{layer}_folder_name"): layer
        for layer in setting(manifest, "model_types")
    }
    for folder in reversed(folder_of(model).split("/")):
        if folder in layers:
            return layers[folder]
    return None


def layer_of(manifest: Manifest, model: dict[str, Any]) -> str | None:
    """Return a model's layer: by its prefix, else by its folder, else other."""
    if model["resource_type"] not in ("model", "snapshot"):
        return None
    return prefix_layer(manifest, model) or folder_layer(manifest, model) or "other"


def folder_of(resource: dict[str, Any]) -> str:
    """Return the folder of the file that defines a resource."""
    path = resource["original_file_path"].replace("\\", "/")
    return str(PurePosixPath(path).parent)


def tested_node(test: dict[str, Any]) -> str | None:
    """Return the id of the node a test belongs to: its own, else the last it reads."""
    read = test["depends_on"]["nodes"]
    return test.get("attached_node") or (read[-1] if read else None)


def is_public(node: dict[str, Any]) -> bool:
    """Return whether a model may be read by anyone."""
    return node.get("access") == "public"


def has_contract(node: dict[str, Any]) -> bool:
    """Return whether a model's contract is enforced."""
    return bool(node.get("config", {}).get("contract", {}).get("enforced"))


# -- dbt-project-evaluator: modelling -----------------------------------------------


@rule
def direct_join_to_source(manifest: Manifest) -> list[str]:
    """Read raw data in staging alone: join the staging model, not the source."""
    findings = []
    for child, read in parents(manifest, ("model",), ("model", "source")):
        if {parent["resource_type"] for parent in read} == {"model", "source"}:
            findings.append(
                f"{child['name']} joins a model and a source: {listed(read)}"
            )
    return findings


@rule
def marts_or_intermediate_dependent_on_source(manifest: Manifest) -> list[str]:
    """Read raw data in staging alone: put a staging model between."""
    return [
        f"{child['name']} ({layer_of(manifest, child)}) reads {name_of(parent)}"
        for parent, child in edges(manifest)
        if parent["resource_type"] == "source"
        and layer_of(manifest, child) in ("marts", "intermediate")
    ]


@rule
def duplicate_sources(manifest: Manifest) -> list[str]:
    """Keep one source per table: two of them split its lineage."""
    by_table = defaultdict(list)
    for source in of_project(manifest, "sources"):
        table = (source["database"], source["schema"], source["identifier"])
        by_table[".".join(part for part in table if part).lower()].append(source)
    return [
        f"{table} is declared more than once: {listed(sources)}"
        for table, sources in by_table.items()
        if len(sources) > 1
    ]


_QUOTED_OR_BARE = r"[\[`\"']?\w+[\]`\"']?"
_HARD_CODED = re.compile(
    rf"""(?<!distinct\s)(?:from|join)\s+(
        {_QUOTED_OR_BARE}(?:\.{_QUOTED_OR_BARE}){{1,2}}(?=\s|$)
        | [\[`"']\w+[\]`"'](?=\s|$)
        | \{{\{{\s*var\s*\([^)]+\)\s*\}}\}}
    )""",
    re.IGNORECASE | re.VERBOSE,
)


@rule
def hard_coded_references(manifest: Manifest) -> list[str]:
    """Use ref() or source(), in comments too: a table named in text has no lineage."""
    return [
        f"{model['name']} reads {found[1]}"
        for model in nodes(manifest, "model")
        if model["language"] == "sql"
        for found in _HARD_CODED.finditer(model["raw_code"])
    ]


@rule
def model_fanout(manifest: Manifest) -> list[str]:
    """Join or drop end models: many on one parent belong in the BI tool."""
    pairs = edges(manifest)
    read = {
        parent["unique_id"]
        for parent, child in pairs
        if child["resource_type"] in ("model", "snapshot")
    }
    leaves = defaultdict(list)
    for parent, child in pairs:
        if child["resource_type"] == "model" and child["unique_id"] not in read:
            leaves[name_of(parent)].append(child)
    return [
        f"{parent} has {len(children)} children without children: {listed(children)}"
        for parent, children in leaves.items()
        if len(children) >= setting(manifest, "models_fanout_threshold")
    ]


@rule
def multiple_sources_joined(manifest: Manifest) -> list[str]:
    """Stage each source table by itself and join further down: a model reads one."""
    children = ("model", "snapshot", "exposure")
    return [
        f"{child['name']} reads several sources: {listed(read)}"
        for child, read in parents(manifest, children, ("source",))
        if len(read) > 1
    ]


@rule
def rejoining_of_upstream_concepts(manifest: Manifest) -> list[str]:
    """Make B a CTE of C where A -> B -> C, A -> C and nothing else reads B."""
    readers = defaultdict(set)
    names = {}
    for parent, child in edges(manifest):
        types = {parent["resource_type"], child["resource_type"]}
        if not types & {"exposure", "metric"}:
            readers[parent["unique_id"]].add(child["unique_id"])
            names |= {node["unique_id"]: name_of(node) for node in (parent, child)}
    findings = []
    for above in sorted(readers):
        for between in sorted(readers[above]):
            below = readers.get(between, set())
            if len(below) == 1 and below <= readers[above]:
                findings.append(
                    f"{names[between]} is read by {names[min(below)]} alone, which"
                    f" reads {names[above]} too"
                )
    return findings


@rule
def root_models(manifest: Manifest) -> list[str]:
    """Give each model a parent by ref or source, to show whence its rows come."""
    read = {child["unique_id"] for _, child in edges(manifest)}
    return [
        f"{model['name']} has no parents"
        for model in nodes(manifest, "model")
        if model["unique_id"] not in read and model["name"] != TIME_SPINE
    ]


@rule
def source_fanout(manifest: Manifest) -> list[str]:
    """Let one staging model read a source and the others read that model."""
    children = defaultdict(list)
    for parent, child in edges(manifest):
        if parent["resource_type"] == "source" and child["resource_type"] == "model":
            children[name_of(parent)].append(child)
    return [
        f"{source} is read by several models: {listed(models)}"
        for source, models in children.items()
        if len(models) > 1
    ]


def _staging_readers(manifest: Manifest, layers: tuple[str, ...]) -> list[str]:
    return [
        f"{child['name']} reads {parent['name']} ({layer_of(manifest, parent)})"
        for parent, child in edges(manifest)
        if layer_of(manifest, child) == "staging"
        and layer_of(manifest, parent) in layers
    ]


@rule
def staging_dependent_on_marts_or_intermediate(manifest: Manifest) -> list[str]:
    """Let data flow from staging to marts: move the logic down."""
    return _staging_readers(manifest, ("marts", "intermediate"))


@rule
def staging_dependent_on_staging(manifest: Manifest) -> list[str]:
    """Read sources or base models in staging: move what joins them to intermediate."""
    return _staging_readers(manifest, ("staging",))


@rule
def too_many_joins(manifest: Manifest) -> list[str]:
    """Split a model of many parents: it is hard to follow."""
    kinds = ("model", "seed", "snapshot", "source")
    return [
        f"{child['name']} has {len(read)} direct parents: {listed(read)}"
        for child, read in parents(manifest, ("model",), kinds)
        if len(read) >= setting(manifest, "too_many_joins_threshold")
    ]


@rule
def unused_sources(manifest: Manifest) -> list[str]:
    """Stage or drop a source that nothing reads: it is noise."""
    read = {parent["unique_id"] for parent, _ in edges(manifest)}
    return [
        f"{name_of(source)} is read by nothing"
        for source in of_project(manifest, "sources")
        if source["unique_id"] not in read
    ]


# -- dbt-project-evaluator: testing -------------------------------------------------


@rule
def missing_primary_key_tests(manifest: Manifest) -> list[str]:
    """Test that the key is unique and never null, by a test the settings name."""
    tests = defaultdict(lambda: defaultdict(set))
    for test in nodes(manifest, "test"):
        for macro in test["depends_on"]["macros"]:
            name = macro.removeprefix("macro.")
            tests[tested_node(test)][test.get("column_name")].add(name)

    def is_key(node: dict[str, Any], column: str | None, macros: set[str]) -> bool:
        declared = node["columns"].get(column, {}).get("constraints", [])
        is_not_null = any(item["type"] == "not_null" for item in declared)
        return (is_not_null and "dbt.test_unique" in macros) or any(
            macros >= set(macro_set)
            for macro_set in setting(manifest, "primary_key_test_macros")
        )

    types = as_list(setting(manifest, "enforced_primary_key_node_types"))
    checked = nodes(manifest, *types)
    if "source" in types:
        checked += of_project(manifest, "sources")
    return [
        f"{name_of(node)} has no test of its key"
        for node in checked
        if not any(
            is_key(node, column, macros)
            for column, macros in tests[node["unique_id"]].items()
        )
    ]


@rule
def test_coverage(manifest: Manifest) -> list[str]:
    """Give every model a data test: unit tests do not count."""
    tested = {tested_node(test) for test in nodes(manifest, "test")}
    models = nodes(manifest, "model")
    bare = [model for model in models if model["unique_id"] not in tested]
    share = 100 * (len(models) - len(bare)) / max(len(models), 1)
    if share >= setting(manifest, "test_coverage_target"):
        return []
    return [f"{share:.2f} % of the models have a test, not: {listed(bare)}"]


@rule
def sources_without_freshness(manifest: Manifest) -> list[str]:
    """Give each source table a freshness threshold: old data looks like new data."""
    findings = []
    for source in of_project(manifest, "sources"):
        limits = source.get("freshness") or source["config"].get("freshness") or {}
        counts = [
            (limits.get(limit) or {}).get("count")
            for limit in ("warn_after", "error_after")
        ]
        if counts == [None, None]:
            findings.append(f"{name_of(source)} has no freshness threshold")
    return findings


# -- dbt-project-evaluator: documentation -------------------------------------------


def is_described(resource: dict[str, Any], key: str = "description") -> bool:
    """Return whether a resource has a description with text in it."""
    return bool((resource.get(key) or "").strip())


@rule
def documentation_coverage(manifest: Manifest) -> list[str]:
    """Describe every model in YAML, or lower the target openly."""
    models = nodes(manifest, "model")
    bare = [model for model in models if not is_described(model)]
    share = 100 * (len(models) - len(bare)) / max(len(models), 1)
    if share >= setting(manifest, "documentation_coverage_target"):
        return []
    return [f"{share:.2f} % of the models are described, not: {listed(bare)}"]


@rule
def undocumented_models(manifest: Manifest) -> list[str]:
    """Describe the model in YAML, so that a reader finds out what it holds."""
    return [
        f"{model['name']} has no description"
        for model in nodes(manifest, "model")
        if not is_described(model)
    ]


@rule
def undocumented_source_tables(manifest: Manifest) -> list[str]:
    """Describe the table in YAML, so that a reader finds out what it holds."""
    return [
        f"{name_of(source)} has no description"
        for source in of_project(manifest, "sources")
        if not is_described(source)
    ]


@rule
def undocumented_sources(manifest: Manifest) -> list[str]:
    """Describe the source in YAML, so that a reader finds out whence its data comes."""
    bare = {
        source["source_name"]
        for source in of_project(manifest, "sources")
        if not is_described(source, "source_description")
    }
    return [f"the source {name} has no description" for name in sorted(bare)]


# -- dbt-project-evaluator: structure -----------------------------------------------


@rule
def model_naming_conventions(manifest: Manifest) -> list[str]:
    """Rename the model: the part before the first _ says its layer."""
    findings = []
    for model in nodes(manifest, "model"):
        if prefix_layer(manifest, model) is None and model["name"] != TIME_SPINE:
            layer = layer_of(manifest, model)
            allowed = as_list(setting(manifest, f"{layer}_prefixes"))
            findings.append(
                f"{model['name']} ({layer}) should start with {' or '.join(allowed)}"
            )
    return findings


@rule
def model_directories(manifest: Manifest) -> list[str]:
    """Move the file to its layer's folder, staging to one named after its source."""
    findings = []
    read = defaultdict(set)
    for parent, child in edges(manifest):
        read[child["unique_id"]].add(parent["unique_id"])
    resources = graph(manifest)

    def source_names(resource_id: str) -> set[str]:
        resource = resources[resource_id]
        if resource["resource_type"] == "source":
            return {resource["source_name"]}
        return set().union(*map(source_names, read[resource_id]))

    for model in nodes(manifest, "model", "snapshot"):
        layer = layer_of(manifest, model)
        by_folder = folder_layer(manifest, model)
        path = model["original_file_path"]
        if by_folder not in (None, layer):
            findings.append(f"{path} is {layer} but lies in a folder of {by_folder}")
        if layer == "staging" and model["resource_type"] == "model":
            findings += [
                f"{path} reads the source {name} but lies outside a folder of its name"
                for name in sorted(source_names(model["unique_id"]))
                if name not in folder_of(model)
            ]
    return findings


@rule
def source_directories(manifest: Manifest) -> list[str]:
    """Move the YAML: a source is declared beside its staging models."""
    return [
        f"{name_of(source)} is declared in {source['original_file_path']},"
        f" outside a folder named {source['source_name']}"
        for source in of_project(manifest, "sources")
        if source["source_name"] not in folder_of(source)
    ]


@rule
def test_directories(manifest: Manifest) -> list[str]:
    """Move the tests to the YAML in their model's folder."""
    models = {model["unique_id"]: model for model in nodes(manifest, "model")}
    findings = []
    for test in nodes(manifest, "test"):
        model = models.get(tested_node(test))
        if model and test.get("test_metadata") and folder_of(test) != folder_of(model):
            findings.append(
                f"{test['name']} is declared in {test['original_file_path']},"
                f" its model {model['name']} lies in {folder_of(model)}"
            )
    return findings


# -- dbt-project-evaluator: performance ---------------------------------------------


@rule
def chained_views_dependencies(manifest: Manifest) -> list[str]:
    """Make one of the views a table: the chain is computed at once at its end."""
    limit = setting(manifest, "chained_views_threshold")
    views = defaultdict(set)
    for parent, child in edges(manifest):
        if parent.get("config", {}).get("materialized") in ("view", "ephemeral"):
            views[child["unique_id"]].add(parent["unique_id"])

    def chain(node_id: str) -> int:
        return max((chain(view) + 1 for view in views[node_id]), default=0)

    return [
        f"{model['name']} ends a chain of {chain(model['unique_id'])} views"
        for model in nodes(manifest, "model")
        if chain(model["unique_id"]) > limit
    ]


@rule
def exposure_parents_materializations(manifest: Manifest) -> list[str]:
    """Let exposures read tables: what people look at answers fast."""
    findings = []
    for parent, child in edges(manifest):
        if child["resource_type"] != "exposure":
            continue
        kind = parent["resource_type"]
        if kind == "model":
            kind = parent["config"]["materialized"]
        if kind in ("source", "view", "ephemeral"):
            findings.append(f"{child['name']} reads {name_of(parent)} ({kind})")
    return findings


# -- dbt-project-evaluator: governance ----------------------------------------------


@rule
def public_models_without_contract(manifest: Manifest) -> list[str]:
    """Enforce a public model's contract, or make it private: others build on it."""
    return [
        f"{model['name']} is public without a contract"
        for model in nodes(manifest, "model")
        if is_public(model) and not has_contract(model)
    ]


@rule
def undocumented_public_models(manifest: Manifest) -> list[str]:
    """Describe a public model and each of its columns: others build on it."""
    findings = []
    for model in filter(is_public, nodes(manifest, "model")):
        columns = model["columns"].values()
        bare = [column["name"] for column in columns if not is_described(column)]
        if not is_described(model):
            findings.append(f"{model['name']} is public without a description")
        if not columns:
            findings.append(f"{model['name']} is public and declares no columns")
        if bare:
            findings.append(f"{model['name']} has bare columns: {', '.join(bare)}")
    return findings


@rule
def exposures_dependent_on_private_models(manifest: Manifest) -> list[str]:
    """Let exposures read public models, nothing else: those are promised to stay."""
    return [
        f"{child['name']} reads {name_of(parent)}, which is not a public model"
        for parent, child in edges(manifest)
        if child["resource_type"] == "exposure"
        and not (parent["resource_type"] == "model" and is_public(parent))
    ]


# -- Portability: SQL that runs everywhere ------------------------------------------

# What no model may say, and what to say instead. Matched on flattened SQL.
NOT_PORTABLE: dict[str, str] = {
    r"\bdate_trunc\s*\(": "month_start",
    r"\btrunc\s*\(": "floor; trunc cuts dates on Spark",
    r"\b(?:date_diff|datediff|months_between|age)\s*\(": "dbt.datediff",
    r"\b(?:dateadd|date_add|date_sub)\s*\(": "add_days, add_months or dbt.dateadd",
    r"\binterval\b": "add_days, add_months or dbt.dateadd",
    r"\b\w+_(?:date|month|at)\s*[-+]": "add_days, add_months or dbt.datediff",
    r"[-+]\s*(?:\w+\.)?\w+_(?:date|month|at)\b": "dbt.datediff",
    r"\b(?:strftime|strptime|to_char|date_format)\s*\(": "month_label",
    r"\b(?:date_part|datepart|dayofweek)\s*\(": "extract(... from ...)",
    r"\b(?:median|quantile\w*|percentile_\w+)\s*\(": "percentile",
    r"\b(?:range|generate_series)\s*\(": "numbers",
    r"\b(?:string_agg|group_concat|listagg|list|array_agg)\s*\(": "sorted_list",
    r"\b(?:(?:arg_)?(?:max|min)_by|arg_?(?:max|min))\s*\(": "a window and a filter",
    r"\bcount_?if\s*\(": "sum(case when ... then 1 end)",
    r"\bfilter\s*\(": "sum(case when ... then x end); few engines have it",
    r"::": "cast",
    r"\b(?:try_cast|safe_cast|try_to_\w+)\s*\(": "the macro try_cast",
    r"\bas\s+(?:double|real|float\d*)\b": "type_double()",
    r"\bas\s+(?:text|varchar|string)\b": "dbt.type_string()",
    r"\bround\s*\((?:[^(),]|\((?:[^()]|\([^()]*\))*\))*,": "money",
    r"\bqualify\b": "a sub-query and where",
    r"\bwindow\s+\w+\s+as\b": "{% set %}; Snowflake has no named windows",
    r"\bunion\s+(?!all\b)": "select distinct over union all, which BigQuery has too",
    r"\bsample\s+as\s*\(": "sampled; sample is a word of Snowflake's",
    r"\b(?:group|order)\s+by\s+all\b": "the columns, written out",
    r"\*\s*(?:exclude|except|replace)\b|\bcolumns\s*\(": "the columns, written out",
    r"\b(?:un)?pivot\b": "sum(case ...)",
    r"\basof\b": "a window",
    r'"': "unquoted lower-case names; double quotes are a text on Spark",
    r"\b(?:current_date|current_timestamp|current_time|localtimestamp|getdate)\b"
    r"|\b(?:now|today|sysdate|clock_timestamp)\s*\(": "as_of_date",
    r"\b(?:random|rand|setseed|uuid|gen_random_uuid)\s*\(": "row_hash",
}

# The same for what stands in Jinja outside texts.
NOT_PORTABLE_JINJA: dict[str, str] = {
    r"\bdbt\.(?:date_spine|get_intervals_between)\b": "numbers",
    r"\bdbt\.safe_cast\b": "try_cast",
    r"\bdbt\.type_float\b": "type_double()",
    r"\bdbt\.current_timestamp|\brun_started_at\b|\.(?:utc)?now\b": "as_of_date",
}

# Hooks that compare with the machine's clock; what they say is no part of any table.
CLOCK_READERS = {"check_inputs", "record_build"}

# Only models: a formula macro divides doubles that it has made so itself.
NOT_IN_MODELS: dict[str, str] = {
    r"/": "ratio; integers divide differently, and so does zero",
}
NOT_IN_MODELS_JINJA: dict[str, str] = {
    r"\btarget\.(?:type|name)\b|\badapter\.type\b": "a dispatched macro of engines/",
}

_TEXT = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_JINJA_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_JINJA = re.compile(
    rf"\{{\{{((?:{_TEXT}|[^'\"])*?)\}}\}}|\{{%((?:{_TEXT}|[^'\"])*?)%\}}", re.DOTALL
)
_JINJA_TEXT = re.compile(_TEXT, re.DOTALL)
_JINJA_TOKEN = re.compile(rf"({_TEXT})|([\w.]+\s*\()|([(),])|.", re.DOTALL)
_SQL_COMMENT_OR_TEXT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
# names of resources and messages to people are not SQL
_NOT_SQL = re.compile(r"^[-\s]*(?:do\s+)?(?:config|exceptions\.\w+|log|print)\s*\(")
_NAMES = re.compile(r"\b(?:ref|source|var|env_var|dispatch)\s*\([^()]*\)")


def _without_comments_and_texts(sql: str) -> str:
    return _SQL_COMMENT_OR_TEXT.sub(lambda x: "''" if x[0][0] == "'" else " ", sql)


def _sql_in(text: str) -> str:
    """Return what a text in Jinja adds to the SQL; half a literal adds nothing."""
    return re.sub("(?<!')'(?!')", " ", _without_comments_and_texts(text[1:-1]))


def flatten(code: str) -> str:
    """Return a template as plain SQL without comments and texts.

    Parameters
    ----------
    code
        SQL with Jinja, as in a file.

    Returns
    -------
    str
        An expression becomes a call of its arguments, ``{{ ratio('a', 'b + 1') }}``
        -> ``jinja(jinja(a, b + 1))``, so that the SQL in them is seen; texts in
        statements (``{% %}``) stand above all else.
    """
    first = []

    def token(match: re.Match[str]) -> str:
        text, call, sign = match.groups()
        return _sql_in(text) if text else "jinja(" if call else sign or " "

    def block(match: re.Match[str]) -> str:
        expression, statement = match.groups()
        inner = _NAMES.sub("", statement if expression is None else expression)
        if _NOT_SQL.match(inner):
            return " "
        if expression is not None:
            return f"jinja({_JINJA_TOKEN.sub(token, inner)})"
        first.extend(_sql_in(text) for text in _JINJA_TEXT.findall(inner))
        return " "

    sql = _JINJA.sub(block, _JINJA_COMMENT.sub(" ", code))
    return _without_comments_and_texts("\n".join([*first, sql]))


def jinja_only(code: str) -> str:
    """Return what stands in a template's Jinja, without its texts."""
    code = _JINJA_COMMENT.sub(" ", code)
    blocks = (match[1] or match[2] or "" for match in _JINJA.finditer(code))
    return "\n".join(_JINJA_TEXT.sub("''", block) for block in blocks)


def _forbidden(text: str, patterns: dict[str, str]) -> Iterator[str]:
    for pattern, instead in patterns.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            start = text.rfind("\n", 0, match.start()) + 1
            line = text[start:].split("\n", 1)[0].strip()
            yield f"'{match[0].strip()}' in '{line}': use {instead}"


def _templates(manifest: Manifest) -> Iterator[tuple[str, str, bool]]:
    """Yield the name and code of each SQL model (True) and linted macro (False)."""
    for model in nodes(manifest, "model"):
        if model["language"] == "sql":
            yield model["name"], model["raw_code"], True
    for macro in _own_macros(manifest):
        folder = folder_of(macro) + "/"
        if not folder.startswith(("macros/engines/", "macros/inputs/")):
            yield macro["name"], macro["macro_sql"], False


@rule
def sql_is_portable(manifest: Manifest) -> list[str]:
    """Use dbt's macros and those of macros/engines: models run on every engine."""
    findings = []
    for name, code, is_model in _templates(manifest):
        sql, jinja = NOT_PORTABLE, NOT_PORTABLE_JINJA
        if is_model:
            sql, jinja = sql | NOT_IN_MODELS, jinja | NOT_IN_MODELS_JINJA
        if name in CLOCK_READERS:
            jinja = {}
        found = [*_forbidden(flatten(code), sql), *_forbidden(jinja_only(code), jinja)]
        findings += [f"{name}: {finding}" for finding in found]
    return findings


@rule
def models_read_no_clock(manifest: Manifest) -> list[str]:
    """Call hooks from dbt_project.yml alone: models know `as_of_date`, not today."""
    return [
        f"{node['name']} calls {macro.split('.')[-1]}"
        for node in nodes(manifest, "model", "test")
        for macro in node["depends_on"]["macros"]
        if macro.split(".")[-1] in CLOCK_READERS
    ]


@rule
def columns_are_written_out(manifest: Manifest) -> list[str]:
    """Write columns out: the only bare * is the last line, select * from final."""
    findings = []
    for name, code, is_model in _templates(manifest):
        lines = flatten(code).rstrip().split("\n")
        if lines[-1].strip() == "select * from final":
            lines.pop()
        text = "\n".join(lines)
        if is_model and re.search(r"\bselect\s+(?:distinct\s+)?\*|,\s*\*", text, re.I):
            findings.append(f"{name}: select * above the last line, or not from final")
    return findings


def _at_top(text: str, pattern: str) -> list[re.Match[str]]:
    """Return the matches of a pattern that lie outside any parentheses."""
    depth = list(accumulate((c == "(") - (c == ")") for c in text))
    return [x for x in re.finditer(pattern, text) if depth[x.start()] == 0]


def _split_at_top(text: str, pattern: str) -> list[str]:
    cuts = [0]
    for match in _at_top(text, pattern):
        cuts += [match.start(), match.end()]
    cuts.append(len(text))
    return [text[start:end] for start, end in zip(cuts[::2], cuts[1::2], strict=True)]


_CALL = re.compile(r"jinja\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")


def reused_aliases(sql: str) -> list[str]:
    """Return the aliases that the select which makes them reads again.

    Parameters
    ----------
    sql
        Flattened SQL.

    Returns
    -------
    list of str
        Names used unqualified in a later column, in where or in having. A name that
        its own expression reads, as in ``lower(status) as status``, is a column of
        the input and is not reported.
    """
    sql = " ".join(sql.lower().split())
    found = []
    for select in re.finditer(r"\bselect\b", sql):
        scope = sql[select.end() :]
        depth = accumulate((c == "(") - (c == ")") for c in scope)
        scope = scope[: next((i for i, d in enumerate(depth) if d < 0), len(scope))]
        scope = _split_at_top(scope, r"\b(?:union|intersect|except)\b")[0]
        columns, *rest = _split_at_top(scope, r"(?<!distinct )\bfrom\b")
        clauses = r"\b(?=(?:where|having|group by|order by|window|limit)\b)"
        # a macro's argument may name a column of another table
        filters = [
            _CALL.sub("", clause)
            for clause in _split_at_top(" ".join(rest), clauses)
            if clause.startswith(("where", "having"))
        ]
        aliases: list[str] = []
        for column in _split_at_top(columns, ","):
            named = re.fullmatch(r"(.*) as (\w+) ?", column)
            expression = named[1] if named else column
            found += [alias for alias in aliases if _reads(expression, alias)]
            if named and not re.search(rf"\b{named[2]}\b", expression):
                aliases.append(named[2])
        found += [a for a in aliases for clause in filters if _reads(clause, a)]
    return sorted(set(found))


def _reads(expression: str, name: str) -> bool:
    return bool(re.search(rf"(?<![.\w]){name}\b(?!\s*[.(])", expression))


@rule
def aliases_are_not_reused(manifest: Manifest) -> list[str]:
    """Read an alias in the next select: not every engine knows it in its own."""
    return [
        f"{name}: {alias} is read in the select that makes it: use one more CTE, or"
        " name its table if it is a column of the input"
        for name, code, _ in _templates(manifest)
        for alias in reused_aliases(flatten(code))
    ]


# -- Documentation: what each thing is ----------------------------------------------

COLUMN_TYPES: dict[str, tuple[str, ...]] = {
    r"^(?:is|has)_": ("boolean", "bool"),
    r"_(?:date|month)$": ("date",),
    r"_at$": ("timestamp",),
    r"_count$": ("integer", "int", "bigint"),
}


def _own_macros(manifest: Manifest) -> list[dict[str, Any]]:
    return [
        macro
        for macro in of_project(manifest, "macros")
        if macro["original_file_path"].replace("\\", "/").startswith("macros/")
    ]


def _type_of(column: dict[str, Any]) -> str:
    return "".join((column.get("data_type") or "").lower().split())


@rule
def descriptions_open_with_the_grain(manifest: Manifest) -> list[str]:
    """Begin with 'One row per': the grain is the first thing to know of a table."""
    return [
        f"{model['name']}: '{model['description'][:60]}'"
        for model in nodes(manifest, "model")
        if not (model["description"] or "").lstrip().startswith("One row per ")
    ]


@rule
def columns_are_described(manifest: Manifest) -> list[str]:
    """Describe each declared column: its unit and what NULL means."""
    return [
        f"{model['name']}.{column['name']} has no description"
        for model in nodes(manifest, "model")
        for column in model["columns"].values()
        if not is_described(column)
    ]


@rule
def marts_are_public_and_contracted(manifest: Manifest) -> list[str]:
    """Make marts public, with a contract and typed columns: users rely on them."""
    findings = []
    for model in nodes(manifest, "model"):
        if not (folder_of(model) + "/").startswith("models/marts/"):
            continue
        if not is_public(model):
            findings.append(f"{model['name']} has access {model.get('access')}")
        if not has_contract(model):
            findings.append(f"{model['name']} has no enforced contract")
        if not model["columns"]:
            findings.append(f"{model['name']} declares no columns")
        findings += [
            f"{model['name']}.{column['name']} has no data_type"
            for column in model["columns"].values()
            if not _type_of(column)
        ]
    return findings


@rule
def macros_are_documented(manifest: Manifest) -> list[str]:
    """Describe each macro and type its arguments: it is used without being read."""
    macros = _own_macros(manifest)
    names = {macro["name"] for macro in macros}
    findings = []
    for macro in macros:
        name = macro["name"]
        # default__x and duckdb__x are x, which is documented
        if "__" in name and name.split("__", 1)[1] in names:
            continue
        if not is_described(macro):
            findings.append(f"{name} has no description")
        findings += [
            f"{name}: the argument {argument['name']} has no {key}"
            for argument in macro["arguments"]
            for key in ("type", "description")
            if not is_described(argument, key)
        ]
    return findings


@rule
def column_names_tell_the_type(manifest: Manifest) -> list[str]:
    """Change the name or the type: is_ promises a boolean, _at a timestamp."""
    findings = []
    for model in nodes(manifest, "model"):
        for column in model["columns"].values():
            data_type = _type_of(column)
            for pattern, types in COLUMN_TYPES.items():
                if (
                    data_type
                    and re.search(pattern, column["name"])
                    and data_type not in types
                ):
                    findings.append(
                        f"{model['name']}.{column['name']} is {data_type},"
                        f" not {' or '.join(types)}"
                    )
    return findings


@rule
def weekly_models_are_apart(manifest: Manifest) -> list[str]:
    """Tag weekly what reads a weekly model, and what only those or learners read.

    The selector `daily` leaves out the tags `weekly` and `learn`: nothing that it
    builds may stand on what it does not build, or serve no one. What is learned is the
    exception; it is meant to be older than what it scores.
    """
    left_out = {"weekly", "learn"}
    readers = defaultdict(list)
    for parent, child in edges(manifest):
        if {parent["resource_type"], child["resource_type"]} == {"model"}:
            readers[parent["unique_id"]].append(child)
    findings = []
    for model in nodes(manifest, "model"):
        read_by = readers[model["unique_id"]]
        daily = [child for child in read_by if not left_out & {*child["tags"]}]
        if "weekly" in model["tags"] and daily:
            findings.append(
                f"{model['name']}, a weekly one, is read by {listed(daily)}"
            )
        is_daily = not left_out & {*model["tags"]}
        if is_daily and read_by and not daily and not is_public(model):
            findings.append(f"{model['name']} is read by {listed(read_by)} alone")
    return findings


@rule
def column_types_agree(manifest: Manifest) -> list[str]:
    """Give a column one data_type in all public models: a name means one thing."""
    uses = defaultdict(lambda: defaultdict(list))
    for model in filter(is_public, nodes(manifest, "model")):
        for column in model["columns"].values():
            if _type_of(column):
                uses[column["name"]][_type_of(column)].append(model)
    return [
        f"{name} is "
        + ", but ".join(f"{kind} in {listed(models)}" for kind, models in types.items())
        for name, types in sorted(uses.items())
        if len(types) > 1
    ]


def main() -> int:
    """Print all findings; return 1 if there are any."""
    with tempfile.TemporaryDirectory() as target:
        if len(sys.argv) > 1:
            path, found = Path(sys.argv[1]), {}
        else:
            path = Path(target, "manifest.json")
            found = {"yaml_is_valid": parse(PROJECT_DIR, Path(target))}
            if not path.exists():
                print(
                    "dbt cannot parse the project:", *found["yaml_is_valid"], sep="\n"
                )
                return 1
        manifest = load_manifest(path, PROJECT_DIR)
    hints = {"yaml_is_valid": "dbt ignores what it does not know: mend the spelling."}
    for check in RULES:
        found[check.__name__] = check(manifest)
        hints[check.__name__] = check.__doc__ or ""
    for name, findings in found.items():
        if findings:
            print(f"\n{name} ({len(findings)}): {hints[name]}")
            print(*(f"  - {finding}" for finding in findings), sep="\n")
    total = sum(map(len, found.values()))
    print(f"\n{total} findings, {len(found)} rules")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
