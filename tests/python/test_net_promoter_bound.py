"""The interval of the net promoter score against its formula, and its coverage.

One dbt run in a project of its own works out the interval of every combination of up to
40 answers.
"""

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import MacroProject
from scipy import stats

MODEL = """
select
    promoters,
    detractors,
    answers,
    {{ net_promoter_bound('promoters', 'detractors', 'answers', 'lower') }} as lower,
    {{ net_promoter_bound('promoters', 'detractors', 'answers', 'upper') }} as upper
from counts
"""

MOST_ANSWERS = 40


@pytest.fixture(scope="module")
def intervals(macro_project: MacroProject) -> pd.DataFrame:
    """Return the intervals of all combinations of answers, and of none."""
    counts = pd.DataFrame(
        [
            (promoters, detractors, answers)
            for answers in range(MOST_ANSWERS + 1)
            for promoters in range(answers + 1)
            for detractors in range(answers - promoters + 1)
        ],
        columns=["promoters", "detractors", "answers"],
    )
    with duckdb.connect(str(macro_project.warehouse)) as warehouse:
        warehouse.register("frame", counts)
        warehouse.execute("create table counts as select * from frame")
    return macro_project.tables({"scores": MODEL})["scores"]


def test_no_answers_have_no_interval(intervals: pd.DataFrame) -> None:
    none = intervals[intervals.answers == 0]
    assert len(none) == 1
    assert none[["lower", "upper"]].isna().all(axis=None)


def test_the_bounds_are_those_of_three_more_answers(intervals: pd.DataFrame) -> None:
    """Each answer is 1, 0 or -1: the mean and variance of n + 3 of them."""
    some = intervals[intervals.answers > 0]
    for row in some.itertuples():
        counts = np.array([row.promoters, row.detractors, row.answers], float)
        passives = counts[2] - counts[0] - counts[1]
        weights = np.array([counts[0] + 0.75, passives + 1.5, counts[1] + 0.75])
        points = np.array([1, 0, -1])
        mean = np.average(points, weights=weights)
        variance = np.average((points - mean) ** 2, weights=weights)
        margin = stats.norm.ppf(0.975) * np.sqrt(variance / weights.sum())
        assert row.lower == pytest.approx(100 * max(-1, mean - margin), abs=1e-9)
        assert row.upper == pytest.approx(100 * min(1, mean + margin), abs=1e-9)


def test_ten_promoters_and_four_detractors_of_twenty(intervals: pd.DataFrame) -> None:
    """Worked by hand: 0.26087 -+ 1.96 x sqrt(0.60586 / 23)."""
    row = intervals.query("answers == 20 and promoters == 10 and detractors == 4")
    assert row.lower.item() == pytest.approx(-5.72, abs=0.005)
    assert row.upper.item() == pytest.approx(57.90, abs=0.005)


def test_the_score_of_two_or_more_lies_in_its_interval(
    intervals: pd.DataFrame,
) -> None:
    some = intervals[intervals.answers > 1]
    score = 100 * (some.promoters - some.detractors) / some.answers
    assert (some.lower <= score + 1e-9).all()
    assert (score <= some.upper + 1e-9).all()


@pytest.mark.parametrize(
    "shares", [(0.5, 0.2), (0.62, 0.08), (0.3, 0.34), (0.1, 0.1), (0.8, 0.15)]
)
def test_the_true_score_is_in_the_interval_about_as_often_as_it_says(
    intervals: pd.DataFrame, shares: tuple[float, float]
) -> None:
    """Exactly, over all outcomes of 20 and 40 answers: at least 93 of 100 times."""
    truth = 100 * (shares[0] - shares[1])
    for answers in (20, 40):
        some = intervals[intervals.answers == answers]
        outcomes = some[["promoters", "detractors"]].to_numpy()
        outcomes = np.column_stack([outcomes, answers - outcomes.sum(axis=1)])
        chances = stats.multinomial.pmf(outcomes, answers, [*shares, 1 - sum(shares)])
        assert chances.sum() == pytest.approx(1)
        covered = (some.lower.to_numpy() <= truth) & (truth <= some.upper.to_numpy())
        assert 0.93 <= chances[covered].sum() <= 0.99
