"""Compare every public mart of two builds, row for row.

    .venv/bin/python engines/compare_marts.py target/manifest.json \
        warehouse/customer_lifetime.duckdb other.duckdb

Each build is a DuckDB file, or a folder of Parquet: `<mart>.parquet`, or a folder
`<mart>/` of parts. The marts and their grains are read from the manifest that
`dbt parse` writes. Rows are matched by the mart's grain; floating-point numbers may
differ by 1e-9 of the larger, all else must be the same. Prints a line per mart, and
ends with 1 if any differ.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

TOLERANCE = 1e-9

# Where a build has a mart: its name becomes what stands after `from`.
Source = Callable[[str], str]


@dataclass(frozen=True)
class Mart:
    """A public mart and the columns of which it has one row each."""

    name: str
    grain: tuple[str, ...]


@dataclass
class Comparison:
    """What was found for one mart."""

    name: str
    rows: int = 0
    ties: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    largest_relative: float = 0.0


def public_marts(manifest: Path) -> list[Mart]:
    """List the public marts of a manifest, by name."""
    nodes = json.loads(manifest.read_text())["nodes"].values()
    grains: dict[str, list[str]] = {}
    for node in nodes:
        if (node.get("test_metadata") or {}).get("name") == "grain":
            kwargs = node["test_metadata"]["kwargs"]
            grains.setdefault(node["attached_node"], kwargs["columns"])
    marts = [
        Mart(node["name"], tuple(grains[node["unique_id"]]))
        for node in nodes
        if node["resource_type"] == "model" and node.get("access") == "public"
    ]
    if not marts:
        raise SystemExit(f"{manifest} lists no public mart. Run `dbt parse` first.")
    return sorted(marts, key=lambda mart: mart.name)


def of_catalogue(name: str) -> Source:
    """Find marts in an attached database or schema, such as `lake.main`."""
    return lambda mart: f"{name}.{mart}"


def of_folder(folder: Path) -> Source:
    """Find marts in a folder of Parquet."""

    def place(mart: str) -> str:
        parts = folder / mart
        found = f"{parts}/**/*.parquet" if parts.is_dir() else f"{parts}.parquet"
        return "read_parquet('{}')".format(found.replace("'", "''"))

    return place


def opened(connection: duckdb.DuckDBPyConnection, build: Path, alias: str) -> Source:
    """Open a build by its path: a folder of Parquet, or a DuckDB file."""
    if build.is_dir():
        return of_folder(build)
    if not build.exists():
        raise SystemExit(f"There is no build at {build}.")
    path = str(build).replace("'", "''")
    connection.execute(f"attach '{path}' as {alias} (read_only)")
    return of_catalogue(f"{alias}.main")


def kind(data_type: str) -> str:
    """Say what a type means, however an engine writes it to a file."""
    if re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", data_type):
        return "whole number"
    if decimal := re.fullmatch(r"DECIMAL\(\d+,(\d+)\)", data_type):
        return f"decimal of scale {decimal[1]}"
    if data_type.startswith("TIMESTAMP"):
        return "timestamp"
    return data_type.lower()


def matched_rows(mart: Mart, expected: str, actual: str, columns: Iterable[str]) -> str:
    """Both sides of a mart side by side; rows alike in their grain are numbered."""
    grain = [f'"{column}"' for column in mart.grain]
    rest = [f'"{column}"' for column in columns if column not in mart.grain]
    numbered = (
        f"row_number() over (partition by {', '.join(grain)}"
        f" order by {', '.join(rest or grain)}) as same_grain"
    )
    matches = " and ".join(
        f"expected.{column} is not distinct from actual.{column}"
        for column in [*grain, "same_grain"]
    )
    return (
        f"(select *, {numbered} from {expected}) as expected"
        f" full join (select *, {numbered} from {actual}) as actual on {matches}"
    )


def compare(
    connection: duckdb.DuckDBPyConnection,
    mart: Mart,
    expected: Source,
    actual: Source,
    without: Iterable[str] = (),
    ties: Mapping[str, float] | None = None,
) -> Comparison:
    """Compare one mart of two builds.

    Parameters
    ----------
    without : iterable of str
        Columns that need not agree: hashes, which each engine computes its own way.
    ties : mapping of str to float
        Columns that may be so far apart, as they are where a tie is rounded. How many
        are is told.
    """
    ties = ties or {}
    result = Comparison(mart.name)
    types: list[dict[str, str]] = []
    for side, place in (("expected", expected), ("actual", actual)):
        try:
            described = connection.execute(
                f"describe select * from {place(mart.name)}"
            ).fetchall()
        except duckdb.Error as error:
            result.differences.append(f"{side} can't be read: {error}".splitlines()[0])
            return result
        types.append({row[0].lower(): row[1] for row in described})
    if list(types[0]) != list(types[1]):
        odd = ", ".join(sorted(types[0].keys() ^ types[1].keys())) or "their order"
        result.differences.append(f"columns differ: {odd}")
        return result
    for column, data_type in types[0].items():
        if kind(data_type) != kind(types[1][column]):
            result.differences.append(f"{column} is {data_type} and {types[1][column]}")
    if result.differences:
        return result

    compared = [c for c in types[0] if c not in without and c not in mart.grain]
    is_row = "expected.same_grain is not null", "actual.same_grain is not null"
    measures = [f"count(*) filter ({is_row[0]})"]
    measures += [f"count(*) filter (expected.same_grain is {x} null"
                 f" and actual.same_grain is {y} null)"
                 for x, y in (("not", ""), ("", "not"))]  # fmt: skip
    both = " and ".join(is_row)
    for column in compared:
        one, other = f'expected."{column}"', f'actual."{column}"'
        differ = f"{both} and {one} is distinct from {other}"
        gap = "0"
        if kind(types[0][column]) == "double":
            # of NULL, NaN and infinity only the same is near enough
            gap = (
                f"case when isfinite({one}) and isfinite({other}) and {one} != {other}"
                f" then abs({one} - {other}) / greatest(abs({one}), abs({other})) end"
            )
            differ += f" and coalesce({gap} > {TOLERANCE}, true)"
        tied = "false"
        if column in ties:
            tied = f"coalesce(abs({one} - {other}) <= {ties[column]}, false)"
        example = f"concat({one}, ' and ', {other})"
        measures += [
            f"count(*) filter ({differ} and {tied})",
            f"count(*) filter ({differ} and not {tied})",
            f"min({example}) filter ({differ} and not {tied})",
            f"max({gap})",
        ]
    rows = matched_rows(mart, expected(mart.name), actual(mart.name), types[0])
    found = connection.execute(f"select {', '.join(measures)} from {rows}").fetchall()
    result.rows, missing, extra, *by_column = found[0]
    if missing:
        result.differences.append(f"{missing} rows are missing")
    if extra:
        result.differences.append(f"{extra} rows are too many")
    for i, column in enumerate(compared):
        tied, count, example, gap = by_column[4 * i : 4 * i + 4]
        if tied:
            result.ties.append(f"{column} in {tied} rows")
        if count:
            result.differences.append(f"{column} differs in {count} rows: {example}")
        result.largest_relative = max(result.largest_relative, gap or 0.0)
    return result


def compare_all(
    connection: duckdb.DuckDBPyConnection,
    marts: Iterable[Mart],
    expected: Source,
    actual: Source,
    without: Iterable[str] = (),
    ties: Mapping[str, Mapping[str, float]] | None = None,
) -> bool:
    """Compare all marts and print what was found; whether they are all the same.

    Parameters
    ----------
    ties : mapping of str to mapping
        The columns of a mart that may be a little apart, and how far (see `compare`).
    """
    ties = ties or {}
    # a moment read from a file of another engine is the same text
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    found = [
        compare(connection, mart, expected, actual, without, ties.get(mart.name))
        for mart in marts
    ]
    print(f"{'mart':<30} {'rows':>8} {'largest relative':>17}  difference")
    for one in found:
        said = "; ".join(one.differences) or "none"
        if one.ties:
            said += f"; but for ties: {', '.join(one.ties)}"
        print(f"{one.name:<30} {one.rows:>8} {one.largest_relative:>17.1e}  {said}")
    differing = [one.name for one in found if one.differences]
    print(
        f"{len(found) - len(differing)} of {len(found)} marts are the same.", flush=True
    )
    return not differing


def main() -> int:
    """Compare two builds by their paths."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("expected", type=Path)
    parser.add_argument("actual", type=Path)
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        metavar="COLUMN",
        help="columns that need not agree: content_hash between engines",
    )
    arguments = parser.parse_args()
    connection = duckdb.connect()
    expected = opened(connection, arguments.expected, "expected_build")
    actual = opened(connection, arguments.actual, "actual_build")
    same = compare_all(
        connection,
        public_marts(arguments.manifest),
        expected,
        actual,
        arguments.without,
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
