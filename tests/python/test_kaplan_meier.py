"""The Kaplan-Meier macro against lifelines and a published example.

One dbt run in a project of their own estimates the curves of all samples at once, each
sample being a group. It runs them twice more: in another order of rows with equal
observations added up, and without any group.
"""

import math
from collections.abc import Iterator

import duckdb
import lifelines
import numpy as np
import pandas as pd
import pytest
from conftest import MacroProject

MODELS = {
    "curves": """{{ kaplan_meier(
        'observations', 'days', 'is_event', ['kind', 'part']
    ) }}""",
    "counted_curves": """{{ kaplan_meier(
        'counted_observations', 'days', 'outcome = \\'back\\'', ['kind', 'part'], 'n'
    ) }}""",
    "single_curve": "{{ kaplan_meier('one_sample', 'days', 'is_event') }}",
}

RATES = ["survival_rate", "survival_standard_error"]
BOUNDS = ["survival_rate_lower", "survival_rate_upper"]
COUNTS = ["at_risk_count", "event_count", "censored_count"]

# 6-MP arm of Freireich et al. 1963: weeks of remission, and whether they ended
REMISSIONS = (
    [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35],
    [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0],
)

Sample = tuple[np.ndarray, np.ndarray]


def random_samples() -> Iterator[tuple[str, Sample]]:
    """Yield samples that differ in size, ties and share of events."""
    rng = np.random.default_rng(1958)
    for size in (2, 3, 10, 100, 3_000):
        for longest in (4, 60, 1_000):
            for share in (0.02, 0.5, 0.98):
                days = rng.integers(0, longest, size, endpoint=True)
                is_event = rng.random(size) < share
                yield f"random_{size}_{longest}_{share}", (days, is_event)


def edge_samples() -> Iterator[tuple[str, Sample]]:
    """Yield samples in which a formula has no value somewhere."""
    edges = {
        "everyone_is_censored": ([1, 5, 5, 9], [0, 0, 0, 0]),
        "everyone_comes_back": ([1, 5, 5, 9], [1, 1, 1, 1]),
        "everyone_at_once": ([3, 3, 3], [1, 1, 1]),
        "everyone_on_day_0": ([0, 0], [1, 1]),
        "censored_on_day_0": ([0, 0], [0, 0]),
        "one_who_comes_back": ([4], [1]),
        "one_who_is_censored": ([4], [0]),
        "last_is_censored": ([1, 2, 3], [1, 1, 0]),
        "event_and_censoring_tie": ([2, 2, 2, 5], [1, 0, 0, 1]),
        "half_comes_back": ([1, 2, 3, 3], [1, 1, 0, 0]),
        "remissions": REMISSIONS,
    }
    for name, (days, is_event) in edges.items():
        yield name, (np.array(days), np.array(is_event, dtype=bool))


SAMPLES = dict([*edge_samples(), *random_samples()])


def group_of(name: str) -> tuple[str, str]:
    """Return a sample's group in two columns; no column tells it alone."""
    return name[: len(name) // 2], name[len(name) // 2 :]


@pytest.fixture(scope="module")
def tables(macro_project: MacroProject) -> dict[str, pd.DataFrame]:
    """Return what the macro gives for all samples, one table per model."""
    observations = pd.concat(
        pd.DataFrame(
            dict(zip(("kind", "part"), group_of(name), strict=True))
            | {"days": days, "is_event": is_event}
        )
        for name, (days, is_event) in SAMPLES.items()
    )
    with duckdb.connect(str(macro_project.warehouse)) as database:
        database.register("given", observations)
        database.execute("create table observations as from given")
        # from the last to the first, with a day that no one is observed on
        database.execute("""
            create table counted_observations as
            select kind, part, days, outcome, n from (
                select
                    kind, part, days, count(*) as n,
                    case when is_event then 'back' else 'gone' end as outcome
                from given group by all
                union all
                select distinct kind, part, 1000000, 0, 'gone' from given
                union all
                select distinct kind, part, 8, 0, null from given
            ) order by days desc, outcome, part
        """)
        kind, part = group_of("remissions")
        database.execute(
            "create table one_sample as from given where kind = ? and part = ?",
            [kind, part],
        )
        database.execute("insert into one_sample values ('', '', null, true)")

    return macro_project.tables(MODELS)


def curve(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a sample's curve, by duration."""
    kind, part = group_of(name)
    rows = table[(table["kind"] == kind) & (table["part"] == part)]
    return rows.set_index("duration").sort_index()


def expected_curve(name: str) -> pd.DataFrame:
    """Estimate a sample's curve with lifelines.

    Returns
    -------
    pandas.DataFrame
        By duration; NaN where the macro promises NULL.
    """
    days, is_event = SAMPLES[name]
    fitted = lifelines.KaplanMeierFitter().fit(days, is_event)
    survival = fitted.survival_function_.iloc[:, 0]
    expected = pd.DataFrame(
        {
            "survival_rate": survival,
            "survival_standard_error": survival * np.sqrt(fitted._cumulative_sq_),
            "survival_rate_lower": fitted.confidence_interval_.iloc[:, 0],
            "survival_rate_upper": fitted.confidence_interval_.iloc[:, 1],
            "at_risk_count": fitted.event_table["at_risk"],
            "event_count": fitted.event_table["observed"],
            "censored_count": fitted.event_table["censored"],
        }
    )
    # its curve begins with a day 0 on which everyone is at risk
    expected = expected.loc[np.unique(days)]
    expected.loc[expected["survival_rate"] == 0, "survival_standard_error"] = np.nan
    expected.loc[expected["survival_rate"].isin([0, 1]), BOUNDS] = np.nan
    return expected


@pytest.mark.parametrize("name", SAMPLES)
def test_the_curve_is_that_of_lifelines(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    found, expected = curve(tables["curves"], name), expected_curve(name)
    assert list(found.index) == list(expected.index)
    np.testing.assert_array_equal(found[COUNTS], expected[COUNTS])
    for columns, tolerance in ((RATES, 1e-12), (BOUNDS, 1e-9)):
        np.testing.assert_allclose(
            found[columns].astype(float), expected[columns], rtol=0, atol=tolerance
        )


@pytest.mark.parametrize("name", SAMPLES)
def test_every_number_is_finite_or_null(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    rates = curve(tables["curves"], name)[RATES + BOUNDS].astype(float)
    assert (rates.isna() | ((rates >= 0) & (rates <= 1))).all(axis=None)
    assert rates["survival_rate"].notna().all()


@pytest.mark.parametrize("name", SAMPLES)
def test_counted_observations_give_the_same_bits(
    name: str, tables: dict[str, pd.DataFrame]
) -> None:
    found = curve(tables["curves"], name)
    counted = curve(tables["counted_curves"], name)
    pd.testing.assert_frame_equal(counted.loc[found.index], found, check_exact=True)


def test_a_count_of_0_adds_its_day_and_changes_nothing(
    tables: dict[str, pd.DataFrame],
) -> None:
    """Of 21 remissions, 5 are over or out of sight by week 7, and week 8 is added."""
    counted = curve(tables["counted_curves"], "remissions")
    assert counted.loc[8, COUNTS].tolist() == [16, 0, 0]
    rates = counted[RATES + BOUNDS]
    pd.testing.assert_series_equal(rates.loc[8], rates.loc[7], check_names=False)


def test_a_day_beyond_the_last_observation_has_no_row(
    tables: dict[str, pd.DataFrame],
) -> None:
    assert (tables["counted_curves"]["duration"] < 1_000_000).all()


def test_without_groups_there_is_one_curve(tables: dict[str, pd.DataFrame]) -> None:
    """And a row without duration is not in it."""
    single = tables["single_curve"].set_index("duration").sort_index()
    grouped = curve(tables["curves"], "remissions")[single.columns]
    assert list(single.index) == list(grouped.index)
    np.testing.assert_array_equal(single.astype(float), grouped.astype(float))


def test_the_published_example(tables: dict[str, pd.DataFrame]) -> None:
    """S(6) = 18 / 21 and so on; Greenwood at 6: 6 / 7 x sqrt(3 / (21 x 18)) = .0764."""
    survival = curve(tables["curves"], "remissions")["survival_rate"]
    at = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    for week, expected in at.items():
        assert survival[week] == pytest.approx(expected, abs=5e-4)
    error = curve(tables["curves"], "remissions")["survival_standard_error"][6]
    assert error == pytest.approx(6 / 7 * math.sqrt(3 / (21 * 18)), abs=1e-15)


def test_half_is_one_half(tables: dict[str, pd.DataFrame]) -> None:
    """(3 / 4) x (2 / 3), not a hair more or less, so that medians are found."""
    survival = curve(tables["curves"], "half_comes_back")["survival_rate"]
    assert survival.tolist() == [0.75, 0.5, 0.5]
