"""Write the Superset assets of dashboards/superset/assets, to be imported as they are.

    .venv/bin/python scripts/superset_assets.py

Charts and dashboards come from dashboards/superset/boards, one file for each dashboard:
edit those. Datasets are the tables that the charts read, with the types and
descriptions that dbt has of them, and have no other source.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "dashboards" / "superset"
ASSETS = FOLDER / "assets"
DATABASE = "customer_lifetime"
# what a name's asset is called for ever, so that an import replaces the one before
NAMESPACE = uuid.UUID("7d0c5b4e-5c0e-5e0a-9d3c-0c7a4c1f2b11")
FORMATS = {
    "count": ",d",
    "money": ",.0f",
    "cents": ",.2f",
    "percent": ".1%",
    "percent_whole": ".0%",
    "percent_delta": "+.1%",
    "delta": "+.0f",
    "text": None,
    "decimal": ",.2f",
    "number": ",.1f",
    "any": ",.2~f",
}
# NULL is blank, not N/A. Subtitles are set under the titles: Superset 6.1.0 keeps
# descriptions of charts, but a dashboard looks for them by a wrong name.
CSS = """\
.dt-is-null { color: transparent !important; }
.header-title { -webkit-line-clamp: 4 !important; }
.header-title::after {
  display: block;
  padding-left: 4px;
  font-size: 12px;
  font-weight: normal;
  line-height: 1.4;
  color: #595959;
  white-space: normal;
}
"""
SUBTITLE_CSS = '[data-test-chart-name="{}"] .header-title::after {{ content: "{}"; }}\n'
# Superset's unit of height is 8 pixels
HEIGHTS = {"number": 17, "trend": 25, "markdown": 9}
OTHER_HEIGHT = 44


def asset_id(kind: str, name: str) -> str:
    """Give an asset's UUID, the same whenever it is written."""
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{name}"))


def in_words(name: str) -> str:
    """Make a heading of a column's or a table's name."""
    words = re.sub(r"^(fct|dim)_|_(amount|rate|count)$", "", name).replace("_", " ")
    return words[:1].upper() + words[1:]


# -- Datasets -------------------------------------------------------------------------


def column(name: str, described: dict[str, str]) -> dict[str, Any]:
    """Describe a column of a dataset as dbt does."""
    data_type = described["data_type"].upper()
    return {
        "column_name": name,
        "verbose_name": in_words(name),
        "type": data_type,
        "is_dttm": data_type in ("DATE", "TIMESTAMP"),
        "description": described["description"],
    }


def dataset(name: str, manifest: dict, virtual: dict | None) -> dict[str, Any]:
    """Make the dataset of a mart, or of a query over marts whose columns it names."""
    nodes = {node["name"]: node for node in manifest["nodes"].values()}
    if virtual:
        description = virtual["description"]
        columns = []
        for new, source in virtual["columns"].items():
            if isinstance(source, str):  # table.column, which it is or is made from
                table, _, old = source.partition(".")
                source = nodes[table]["columns"][old]
            columns.append(column(new, source))
    else:
        description = nodes[name]["description"]
        columns = [column(*item) for item in nodes[name]["columns"].items()]
    dates = [each["column_name"] for each in columns if each["is_dttm"]]
    return {
        "table_name": name,
        "schema": "main",
        "description": description.strip(),
        "sql": virtual["sql"] if virtual else None,
        "main_dttm_col": dates[0] if dates else None,
        "columns": columns,
        "metrics": [
            {
                "metric_name": "count",
                "verbose_name": "Rows",
                "expression": "count(*)",
                "d3format": ",d",
            }
        ],
        "uuid": asset_id("dataset", name),
        "database_uuid": asset_id("database", DATABASE),
        "version": "1.0.0",
    }


# -- Charts ---------------------------------------------------------------------------


def metric(label: str, given: str | dict) -> dict[str, Any]:
    """Make a metric of a SQL expression."""
    sql = given if isinstance(given, str) else given["sql"]
    return {
        "expressionType": "SQL",
        "sqlExpression": sql,
        "label": label,
        "hasCustomLabel": True,
        "optionName": "metric_" + re.sub(r"\W+", "_", label.lower()),
    }


def dimension(given: str | dict[str, str]) -> str | dict[str, str]:
    """Make a dimension: a column's name as it is, or a label and its SQL."""
    if isinstance(given, str):
        return given
    ((label, sql),) = given.items()
    return {"expressionType": "SQL", "sqlExpression": sql, "label": label}


def label_of(given: str | dict[str, str]) -> str:
    """Tell what a dimension is called in Superset's answer."""
    return given if isinstance(given, str) else next(iter(given))


def time_of(chart: dict) -> str | None:
    """Tell by which column a dashboard's time filter filters a chart, if by any."""
    x = chart.get("x")
    is_time = isinstance(x, str) and x.endswith(("_month", "_date"))
    return x if is_time else chart.get("time")


def filters(chart: dict) -> list[dict]:
    """Make a chart's own filters, and the one that a dashboard's time filter sets."""
    made = []
    if time_column := time_of(chart):
        made.append(
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "subject": time_column,
                "operator": "TEMPORAL_RANGE",
                "comparator": "No filter",
            }
        )
    if "where" in chart:
        made.append(
            {
                "clause": "WHERE",
                "expressionType": "SQL",
                "sqlExpression": chart["where"],
                "filterOptionName": "filter_where",
            }
        )
    if "having" in chart:
        made.append(
            {
                "clause": "HAVING",
                "expressionType": "SQL",
                "sqlExpression": chart["having"],
                "filterOptionName": "filter_having",
            }
        )
    return made


def params_of_axes(chart: dict, metrics: list[dict], time: bool) -> dict[str, Any]:
    """Set what lines and bars share."""
    horizontal = chart.get("horizontal", False)
    axis_format = FORMATS[chart.get("format", "count")]
    number = {
        # thousands as k: an axis has no room for more
        "y_axis_format": "SMART_NUMBER" if axis_format == ",.0f" else axis_format,
        "y_axis_title": chart.get("y_label", ""),
        "y_axis_title_margin": 30 if horizontal else 45,
        "y_axis_title_position": "Left",
        "truncateYAxis": False,
        "y_axis_bounds": [None, None],
    }
    sort = {"x_axis_sort_asc": True}
    if "order" in chart:
        by, _, direction = chart["order"].rpartition(" ")
        (first,) = (each for each in metrics if each["label"] == by)
        sort = {
            "x_axis_sort": by,
            "x_axis_sort_asc": direction == "asc",
            "timeseries_limit_metric": first,  # what `limit` keeps the largest of
        }
    return {
        "viz_type": f"echarts_timeseries_{chart['type']}",
        "x_axis": dimension(chart["x"]),
        "time_grain_sqla": "P1M" if time else None,
        "metrics": metrics,
        "groupby": [dimension(chart["by"])] if "by" in chart else [],
        "order_desc": True,
        "truncate_metric": True,
        "show_empty_columns": True,
        "x_axis_title": chart.get("x_label", ""),
        "x_axis_title_margin": 30 if "x_label" in chart else 15,
        "x_axis_time_format": "%Y-%m",
        "xAxisForceCategorical": not time and chart["type"] == "bar",
        "show_legend": "by" in chart or len(metrics) > 1,
        "legendType": "scroll",
        "legendOrientation": chart.get("legend", "top"),
        "rich_tooltip": True,
        "tooltipTimeFormat": "%Y-%m",
        "color_scheme": "colour_blind_safe",
        "label_colors": chart.get("colours", {}),
        "orientation": "horizontal" if horizontal else "vertical",
        "stack": "Stack" if chart.get("stacked") else None,
        "only_total": True,
        "show_value": chart.get("values", False),
        "sort_series_type": "name" if "by" in chart else "sum",
        "sort_series_ascending": True,
        "markerEnabled": False,
        **number,
        **sort,
    }


def params(chart: dict) -> dict[str, Any]:
    """Make a chart's form data, as Superset's own editor would."""
    metrics = [metric(*item) for item in chart["metrics"].items()]
    number_format = FORMATS[chart.get("format", "count")]
    x = chart.get("x")
    match chart["type"]:
        case "line" | "bar":
            made = params_of_axes(chart, metrics, time_of(chart) == x)
        case "number":
            made = {
                "viz_type": "big_number_total",
                "metric": metrics[0],
                "y_axis_format": number_format,
                "header_font_size": 0.6,
            }
        case "trend":
            made = {
                "viz_type": "big_number",
                "x_axis": x,
                "time_grain_sqla": "P1M",
                "metric": metrics[0],
                "compare_lag": 12,
                "compare_suffix": "on a year before",
                "show_trend_line": True,
                "start_y_axis_at_zero": True,
                "time_format": "%Y-%m",
                "show_timestamp": True,
                "y_axis_format": number_format,
                "header_font_size": 0.4,
                "subheader_font_size": 0.15,
                "color_picker": {"r": 0, "g": 114, "b": 178, "a": 1},
            }
        case "heatmap":
            made = {
                "viz_type": "heatmap_v2",
                "x_axis": dimension(x),
                "groupby": dimension(chart["y"]),
                "metric": metrics[0],
                "sort_x_axis": chart.get("sort_x", "alpha_asc"),
                "sort_y_axis": chart.get("sort_y", "alpha_asc"),
                "normalize_across": "heatmap",
                "linear_color_scheme": "schemeBlues",
                "legend_type": "continuous",
                "show_legend": True,
                "show_percentage": False,
                "show_values": chart.get("values", True),
                "y_axis_format": number_format,
                "xscale_interval": 1,
                "yscale_interval": 1,
                "left_margin": "auto",
                "bottom_margin": 40,
                "value_bounds": [None, None],
            }
        case "sankey":
            made = {
                "viz_type": "sankey_v2",
                "source": dimension(chart["source"]),
                "target": dimension(chart["target"]),
                "metric": metrics[0],
                "color_scheme": "colour_blind_safe",
            }
        case "table":
            columns = {
                label_of(each): {"horizontalAlign": "left"} for each in chart["by"]
            }
            for label, given in chart["metrics"].items():
                chosen = given.get("format") if isinstance(given, dict) else None
                columns[label] = {
                    "d3NumberFormat": FORMATS[chosen or chart.get("format", "count")],
                    "showCellBars": False,
                }
                if chosen == "text":
                    columns[label] = {"horizontalAlign": "left"}
            order, _, direction = chart["order"].rpartition(" ")
            by = {each["label"]: each for each in metrics}
            made = {
                "viz_type": "table",
                "query_mode": "aggregate",
                "groupby": [dimension(each) for each in chart["by"]],
                "metrics": metrics,
                "timeseries_limit_metric": by.get(order) or metric(order, order),
                "order_desc": direction == "desc",
                "column_config": columns,
                "show_cell_bars": False,
                "table_timestamp_format": "%Y-%m-%d",
                "server_pagination": False,
                "page_length": 0,
                "allow_rearrange_columns": False,
            }
    return {
        **made,
        "adhoc_filters": filters(chart),
        "row_limit": chart.get("limit", 10000),
        "annotation_layers": [],
        **chart.get("options", {}),
    }


def chart_asset(board: str, name: str, chart: dict) -> dict[str, Any]:
    """Make a chart's asset."""
    made = params(chart)
    return {
        "slice_name": chart["title"],
        "description": chart.get("subtitle"),
        "viz_type": made["viz_type"],
        "params": made,
        "cache_timeout": None,
        "uuid": asset_id("chart", f"{board}/{name}"),
        "dataset_uuid": asset_id("dataset", chart["data"]),
        "version": "1.0.0",
    }


# -- Dashboards -----------------------------------------------------------------------


def position(board: str, spec: dict) -> dict[str, Any]:
    """Lay the charts out in the rows of a board, twelve units wide."""
    parents = ["ROOT_ID", "GRID_ID"]
    made: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "children": [],
            "parents": ["ROOT_ID"],
        },
        "HEADER_ID": {
            "type": "HEADER",
            "id": "HEADER_ID",
            "meta": {"text": spec["title"]},
        },
    }
    for number, row in enumerate([{"text": 12}, *spec["rows"]]):
        row_id = f"ROW-{number}"
        made["GRID_ID"]["children"].append(row_id)
        made[row_id] = {
            "type": "ROW",
            "id": row_id,
            "children": [],
            "parents": parents,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        charts = [spec["charts"][name] for name in row if name != "text"]
        height = max((HEIGHTS.get(c["type"], OTHER_HEIGHT) for c in charts), default=0)
        height = max([c.get("height", height) for c in charts], default=0)
        for name, width in row.items():
            if name == "text":
                block = {
                    "type": "MARKDOWN",
                    "id": "MARKDOWN-text",
                    "meta": {
                        "width": 12,
                        "height": HEIGHTS["markdown"],
                        "code": spec["text"],
                    },
                }
            else:
                identity = asset_id("chart", f"{board}/{name}")
                block = {
                    "type": "CHART",
                    "id": f"CHART-{name}",
                    "meta": {
                        "width": width,
                        "height": height,
                        "uuid": identity,
                        # replaced by the number that the chart gets in the import
                        "chartId": list(spec["charts"]).index(name) + 1,
                        "sliceName": spec["charts"][name]["title"],
                    },
                }
            block |= {"children": [], "parents": [*parents, row_id]}
            made[row_id]["children"].append(block["id"])
            made[block["id"]] = block
    return made


def native_filter(name: str, given: dict, excluded: list[int]) -> dict[str, Any]:
    """Make a filter of a dashboard: of the values of a column, or of time."""
    mask: dict[str, Any] = {"extraFormData": {}, "filterState": {}, "ownState": {}}
    default = given.get("default")
    if default is not None:
        mask["filterState"] = {"value": [default], "label": default}
        mask["extraFormData"] = {
            "filters": [{"col": given["column"], "op": "IN", "val": [default]}]
        }
    common = {
        "id": f"NATIVE_FILTER-{name}",
        "type": "NATIVE_FILTER",
        "name": given["label"],
        "description": given.get("description", ""),
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        "defaultDataMask": mask,
    }
    if "column" not in given:
        return {**common, "filterType": "filter_time", "targets": [{}]} | {
            "controlValues": {"enableEmptyFilter": False}
        }
    return {
        **common,
        "filterType": "filter_select",
        "targets": [
            {
                "datasetUuid": asset_id("dataset", given["data"]),
                "column": {"name": given["column"]},
            }
        ],
        "controlValues": {
            "multiSelect": default is None,
            "enableEmptyFilter": default is not None,
            "defaultToFirstItem": False,
            "inverseSelection": False,
            "searchAllOptions": False,
            "sortAscending": True,
        },
    }


def dashboard_asset(
    board: str, spec: dict, columns: dict[str, set[str]]
) -> dict[str, Any]:
    """Make a dashboard's asset.

    A filter says that it acts on the charts whose data have its column, and no other.
    """
    colours: dict[str, str] = {}
    for chart in spec["charts"].values():
        colours |= chart.get("colours", {})
    numbered = list(enumerate(spec["charts"].values(), start=1))

    def made_filter(name: str, given: dict) -> dict[str, Any]:
        excluded = [
            number
            for number, chart in numbered
            if ("column" not in given and not time_of(chart))
            or ("column" in given and given["column"] not in columns[chart["data"]])
        ]
        return native_filter(name, given, excluded)

    return {
        "dashboard_title": spec["title"],
        "description": spec["text"],
        "slug": board,
        "css": CSS
        + "".join(
            SUBTITLE_CSS.format(chart["title"], chart["subtitle"])
            for chart in spec["charts"].values()
            if "subtitle" in chart
        ),
        "published": True,
        "uuid": asset_id("dashboard", board),
        "position": position(board, spec),
        "metadata": {
            "native_filter_configuration": [
                made_filter(*item) for item in spec.get("filters", {}).items()
            ],
            "cross_filters_enabled": True,
            "filter_bar_orientation": "HORIZONTAL",
            "color_scheme": "colour_blind_safe",
            "label_colors": colours,
            "refresh_frequency": 0,
            "timed_refresh_immune_slices": [],
        },
        "version": "1.0.0",
    }


# -- All of them ----------------------------------------------------------------------


def database_asset() -> dict[str, Any]:
    """Make the asset of the published file, which a reader can only read."""
    return {
        "database_name": DATABASE,
        # from Superset's folder; scripts/superset_home.py writes the file's own path
        "sqlalchemy_uri": "duckdb:///warehouse/published/customer_lifetime.duckdb",
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "extra": {
            "engine_params": {
                "connect_args": {
                    "read_only": True,
                    "config": {
                        "enable_external_access": "false",
                        "autoload_known_extensions": "false",
                        "autoinstall_known_extensions": "false",
                        "memory_limit": "1GB",
                        "threads": "2",
                        "lock_configuration": "true",
                    },
                }
            }
        },
        "uuid": asset_id("database", DATABASE),
        "version": "1.0.0",
    }


def read_boards() -> dict[str, dict]:
    """Read what the boards are to be."""
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / "boards").glob("*.yml"))
    }


def assets(manifest: dict) -> dict[str, dict[str, Any]]:
    """Make all assets, by the path of their file."""
    made: dict[str, dict[str, Any]] = {
        "metadata.yaml": {"version": "1.0.0", "type": "assets"},
        f"databases/{DATABASE}.yaml": database_asset(),
    }
    boards = read_boards()
    virtual: dict[str, dict] = {}
    read: set[str] = set()
    for spec in boards.values():
        virtual |= spec.get("datasets", {})
        read |= {chart["data"] for chart in spec["charts"].values()}
        read |= {x["data"] for x in spec.get("filters", {}).values() if "data" in x}
    columns: dict[str, set[str]] = {}
    for name in sorted(read):
        table = dataset(name, manifest, virtual.get(name))
        made[f"datasets/{DATABASE}/{name}.yaml"] = table
        columns[name] = {each["column_name"] for each in table["columns"]}
    for board, spec in boards.items():
        for name, chart in spec["charts"].items():
            made[f"charts/{board}_{name}.yaml"] = chart_asset(board, name, chart)
        made[f"dashboards/{board}.yaml"] = dashboard_asset(board, spec, columns)
    return made


class Dumper(yaml.SafeDumper):
    """Writes text of several lines as such."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what occurs twice: nobody edits these files."""
        return True


Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    ),
)


def written(asset: dict[str, Any]) -> str:
    """Put an asset in YAML."""
    return yaml.dump(
        asset, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100
    )


def project_manifest() -> dict:
    """Let dbt parse the project."""
    target = REPOSITORY / "target"
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "parse"],
        cwd=REPOSITORY,
        check=True,
    )
    return json.loads((target / "manifest.json").read_text(encoding="utf-8"))


def main() -> None:
    """Write all assets anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", type=Path, help="default: dbt parses the project")
    path = parser.parse_args().manifest
    made = assets(json.loads(path.read_text()) if path else project_manifest())
    shutil.rmtree(ASSETS, ignore_errors=True)
    for name, asset in made.items():
        (ASSETS / name).parent.mkdir(parents=True, exist_ok=True)
        (ASSETS / name).write_text(written(asset), encoding="utf-8")


if __name__ == "__main__":
    main()
