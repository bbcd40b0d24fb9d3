"""The value of a Markov chain against numpy and the closed form.

One dbt run in a project of its own, which has nothing but the macros of this one,
values all chains over all horizons.
"""

import duckdb
import numpy as np
import pytest
from conftest import MacroProject

HORIZONS = (1, 2, 3, 5, 12, 36, 37, 600)
Chain = tuple[np.ndarray, np.ndarray, float]


def recency_chain() -> Chain:
    """The worked example of Pfeifer & Carraway 2000: four recencies, and gone.

    A customer of recency 1 to 4 buys with probability .3, .2, .15, .05, which brings
    40; each period in which one is still written to costs 4. 20 % a period.
    """
    matrix = np.zeros((5, 5))
    for recency, probability in enumerate((0.3, 0.2, 0.15, 0.05)):
        matrix[recency, 0] = probability
        matrix[recency, recency + 1] = 1 - probability
    matrix[4, 4] = 1
    return matrix, np.array([36.0, -4, -4, -4, 0]), 0.2


def random_chain(seed: int, size: int, rate: float) -> Chain:
    """A chain in which about half of all pairs are never seen."""
    rng = np.random.default_rng(seed)
    matrix = rng.random((size, size)) * (rng.random((size, size)) < 0.5)
    matrix += np.eye(size) * 0.1
    return (
        matrix / matrix.sum(axis=1, keepdims=True),
        rng.normal(0, 1000, size),
        rate,
    )


CHAINS = {
    "recency": recency_chain(),
    "random_8": random_chain(1, 8, 0.008),
    "random_20": random_chain(2, 20, 0),
    "one_state": (np.ones((1, 1)), np.array([7.0]), 0.01),
}

# the rates lead to a fifth state, which has neither rates nor a reward
LEFT_OUT = {
    "recency_left_out": (CHAINS["recency"][0][:4], CHAINS["recency"][1][:4], 0.2)
}


def expected(chain: Chain, periods: int) -> np.ndarray:
    """The sum over the periods, one power of the matrix after the other."""
    matrix, rewards, rate = chain
    return sum(
        np.linalg.matrix_power(matrix / (1 + rate), t) @ rewards for t in range(periods)
    )


@pytest.fixture(scope="module")
def values(macro_project: MacroProject) -> dict[tuple[str, int], list]:
    """What the macro says of each chain and horizon, in the order of the states."""
    chains = CHAINS | LEFT_OUT
    with duckdb.connect(str(macro_project.warehouse)) as database:
        for name, (matrix, rewards, _) in chains.items():
            database.execute(
                f"create table {name}_rates"
                " (from_state text, to_state text, transition_rate double)"
            )
            pairs = [
                (f"s{i:02}", f"s{j:02}", rate)
                for (i, j), rate in np.ndenumerate(matrix)
                if rate > 0
            ]
            database.executemany(f"insert into {name}_rates values (?, ?, ?)", pairs)
            database.execute(f"create table {name}_rewards (state text, reward double)")
            states = [(f"s{i:02}", reward) for i, reward in enumerate(rewards)]
            database.executemany(f"insert into {name}_rewards values (?, ?)", states)
    tables = macro_project.tables(
        {
            name: "\nunion all\n".join(
                f"select {periods} as periods, * from ({{{{ markov_chain_value("
                f"'{name}_rates', '{name}_rewards', '{rate}', {periods}) }}}})"
                for periods in HORIZONS
            )
            for name, (_, _, rate) in chains.items()
        }
    )
    return {
        (name, periods): rows.sort_values("state")["state_value"].tolist()
        for name, table in tables.items()
        for periods, rows in table.groupby("periods")
    }


@pytest.mark.parametrize("periods", HORIZONS)
@pytest.mark.parametrize("name", CHAINS)
def test_the_value_is_the_discounted_sum_over_the_powers_of_the_matrix(
    name: str, periods: int, values: dict
) -> None:
    assert values[name, periods] == pytest.approx(
        expected(CHAINS[name], periods), rel=1e-10, abs=1e-9
    )


def test_a_long_horizon_comes_to_the_closed_form_of_for_ever(values: dict) -> None:
    matrix, rewards, rate = CHAINS["recency"]
    for_ever = np.linalg.solve(np.eye(5) - matrix / (1 + rate), rewards)
    assert values["recency", 600] == pytest.approx(for_ever, rel=1e-10, abs=1e-9)


def test_the_worked_example_of_the_paper_comes_out(values: dict) -> None:
    # its T = 4 counts the purchase of today, too: five rewards
    after_4 = [50.115, 4.220, 0.592, -1.980, 0]
    for_ever = [52.320, 5.554, 1.251, -1.820, 0]
    assert values["recency", 5] == pytest.approx(after_4, abs=0.0005)
    assert values["recency", 600] == pytest.approx(for_ever, abs=0.0005)


@pytest.mark.parametrize("periods", HORIZONS)
def test_a_state_that_absorbs_and_brings_nothing_may_be_left_out(
    periods: int, values: dict
) -> None:
    assert values["recency_left_out", periods] == values["recency", periods][:4]


def test_one_state_is_an_annuity_due(values: dict) -> None:
    due = 7 * (1 - 1.01**-36) / (1 - 1 / 1.01)
    assert values["one_state", 36] == pytest.approx([due])
