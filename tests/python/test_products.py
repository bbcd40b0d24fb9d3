"""Products: the gamma-Poisson macros against scipy, the demo shop against its truth."""

import duckdb
import numpy as np
import pytest
from conftest import MacroProject, Warehouse
from scipy import stats

CALLS = (
    "gamma_poisson_shape('pairs', 'chance')",
    "gamma_poisson_rate('r', 'm', 'x', 'n')",
    "gamma_poisson_probability('r', 'm', 'x', 'n', 'h')",
)


@pytest.fixture(scope="module")
def macros(macro_project: MacroProject) -> list[str]:
    """The calls as SQL."""
    return macro_project.rendered(CALLS)


def evaluate(sql: str, **columns: float) -> float | None:
    """Evaluate a rendered call on one row of doubles."""
    row = ", ".join(f"cast({value} as double) as {k}" for k, value in columns.items())
    with duckdb.connect() as database:
        return database.execute(f"select {sql} from (select {row})").fetchone()[0]


@pytest.mark.parametrize(
    ("r", "m", "x", "n", "h"),
    [
        (2, 0.25, 3, 2, 10),
        (0.2, 0.003, 0, 40, 0.7),
        (0.2, 0.003, 12, 40, 0.7),
        (1e6, 0.45, 5, 11, 3),
        (4, 0.15, 0, 0, 1e-6),
    ],
)
def test_probability_and_rate_are_those_of_the_negative_binomial(
    macros: list[str], r: float, m: float, x: float, n: float, h: float
) -> None:
    posterior = stats.gamma(r + x, scale=1 / (r / m + n))
    assert evaluate(macros[1], r=r, m=m, x=x, n=n) == pytest.approx(posterior.mean())
    none = stats.nbinom(r + x, (r / m + n) / (r / m + n + h)).pmf(0)
    assert evaluate(macros[2], r=r, m=m, x=x, n=n, h=h) == pytest.approx(
        1 - none, abs=1e-9
    )


def test_moments_find_the_shape_though_a_purchase_counts_once(
    macros: list[str],
) -> None:
    """A beta of shape a has E(p^2) / E(p)^2 - 1 = 1 / r with r = a (a + b + 1) / b."""
    rng = np.random.default_rng(3)
    a, b = 1.2, 2.4
    n = rng.integers(1, 40, 200_000)
    x = rng.binomial(n, rng.beta(a, b, n.size))
    mean = x.sum() / n.sum()
    shape = evaluate(
        macros[0],
        pairs=float((x * (x - 1)).sum()),
        chance=float((n * (n - 1)).sum() * mean**2),
    )
    assert shape == pytest.approx(a * (a + b + 1) / b, rel=0.02)


def test_all_are_alike_where_there_are_no_pairs(macros: list[str]) -> None:
    assert evaluate(macros[0], pairs=0, chance=0) == 1_000_000
    assert evaluate(macros[0], pairs=5, chance=6) == 1_000_000
    assert evaluate(macros[0], pairs=6 + 1e-12, chance=6) == 1_000_000


def test_own_purchases_foretell_more_than_the_best_sellers(demo: Warehouse) -> None:
    """Customers of the demo shop are drawn to one category each."""
    rates = {
        row[0]: row[1:]
        for row in demo.query(
            "select recommendation_method, hit_rate, precision_rate,"
            " hit_margin_per_buyer_amount, predicted_probability_rate, bought_rate"
            " from fct_product_backtest"
        )
    }
    likeliest, best_sellers = rates["probability"], rates["best_sellers"]
    assert likeliest[0] > best_sellers[0]
    assert likeliest[1] > 1.1 * best_sellers[1]
    # ranking by margin brings margin
    assert rates["recommended"][2] > likeliest[2] > best_sellers[2]
    # what is foretold comes, but for the total that the process was off by
    assert likeliest[3] == pytest.approx(likeliest[4], rel=0.15)


def test_products_of_the_favourite_category_are_recommended_most(
    demo: Warehouse,
) -> None:
    """Who bought gifts most is recommended gifts more often than others are."""
    own, others = demo.query(
        "with most as (select distinct on (customer_id) customer_id, category"
        " from intermediate.int_categories_bought where cutoff = 'live'"
        " order by customer_id, category_purchase_count desc, category)"
        " select avg((most.category = 'gifts')::int) from fct_next_best_product as p"
        " inner join most using (customer_id) where p.product_rank = 1"
        " group by p.category = 'gifts' order by p.category = 'gifts' desc"
    )
    assert own[0] > 2 * others[0]


def test_every_customer_of_the_demo_shop_has_three_products(demo: Warehouse) -> None:
    assert demo.query(
        "select count(*) filter (n = 3) = count(*), count(*) = (select count(*)"
        " from intermediate.int_customer_features where cutoff = 'live')"
        " from (select count(*) as n from fct_next_best_product group by customer_id)"
    ) == [(True, True)]
