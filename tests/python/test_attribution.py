"""Attribution against numpy, a second implementation, and the demo shop's truth.

The macro removal_effects is rendered by one dbt run in a project of its own; expected
effects solve the chain without the channel from scratch. The demo shop's credits are
worked out again in Python, path by path.
"""

from bisect import bisect_left
from collections import defaultdict

import duckdb
import numpy as np
import pytest
from conftest import MacroProject

CHANNELS = 12

# a path: the channels touched, numbered from 1, and whether an order followed
Path_ = tuple[list[int], bool]


def random_paths(size: int, longest: int, channels: int, share: float) -> list[Path_]:
    """Draw paths; some channels may be touched by none of them."""
    rng = np.random.default_rng([2016, size, longest, channels])
    return [
        (
            rng.integers(1, channels, rng.integers(1, longest), endpoint=True).tolist(),
            bool(rng.random() < share),
        )
        for _ in range(size)
    ]


CHAINS: dict[str, list[Path_]] = {
    "the_worked_example": [([1, 2, 3], True), ([1], False), ([2, 3], False)],
    "one_channel": [([1], True), ([1, 1], False)],
    "everyone_converts": [([1, 2], True), ([2], True)],
    "a_channel_that_never_converts": [([1], False), ([2, 1], False), ([2], True)],
    "a_channel_that_nobody_started_with": [([1, 2], True), ([1], False)],
    "numbers_with_gaps": [([2, 7], True), ([7, 11, 2], False), ([11], True)],
    "a_long_stay": [([1] * 20_000 + [2], True), ([2, 1], False), ([1], True)],
    "few_paths": random_paths(20, 6, 4, 0.3),
    "many_paths": random_paths(3_000, 9, CHANNELS, 0.05),
    "mostly_converting": random_paths(400, 4, CHANNELS, 0.95),
}


def transitions(paths: list[Path_]) -> list[tuple[int, int | None, int]]:
    """Count the moves: 0 is the start and the conversion, None the loss."""
    counts: dict[tuple[int, int | None], int] = defaultdict(int)
    for channels, converts in paths:
        ends = [*channels, 0 if converts else None]
        for move in zip([0, *channels], ends, strict=True):
            counts[move] += 1
    return [(*move, count) for move, count in counts.items()]


def conversion_rate(paths: list[Path_], without: int | None = None) -> float:
    """Solve the chain; whoever comes to the channel left out is lost."""
    size = 1 + max(max(channels) for channels, _ in paths)
    moves = np.zeros((size, size))
    orders, left = np.zeros(size), np.zeros(size)
    for start, end, count in transitions(paths):
        left[start] += count
        if end == 0:
            orders[start] += count
        elif end is not None and end != without:
            moves[start, end] += count
    left[left == 0] = 1
    matrix = np.eye(size) - moves / left[:, None]
    return float(np.linalg.solve(matrix, orders / left)[0])


@pytest.fixture(scope="module")
def query(macro_project: MacroProject) -> str:
    """Return the SQL that the macro gives for a table called moves."""
    (sql,) = macro_project.rendered([f"removal_effects('moves', {CHANNELS})"])
    return sql


def effects(query: str, paths: list[Path_], descending: bool = False) -> list[tuple]:
    """Run the macro's SQL on paths: channel, rate, rate without, effect."""
    rows = transitions(paths)
    with duckdb.connect() as connection:
        connection.execute(
            "create table moves"
            " (from_number bigint, to_number bigint, transition_count bigint)"
        )
        connection.executemany(
            "insert into moves values (?, ?, ?)", rows[::-1] if descending else rows
        )
        return connection.sql(query).order("channel_number").fetchall()


@pytest.mark.parametrize("name", CHAINS)
def test_removal_effects_are_those_of_solving_without_the_channel(
    name: str, query: str
) -> None:
    paths = CHAINS[name]
    found = effects(query, paths)
    overall = conversion_rate(paths)
    expected = [
        (channel, overall, without, 1 - without / overall)
        for channel in sorted({c for channels, _ in paths for c in channels})
        for without in [conversion_rate(paths, without=channel)]
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_the_worked_example_has_the_effects_of_its_text(query: str) -> None:
    # P = 2/3 x 1/2 x 1/2 + 1/3 x 1/2 = 1/3; without 1: 1/6; without 2 or 3: 0
    found = effects(query, CHAINS["the_worked_example"])
    np.testing.assert_allclose(
        found, [(1, 1 / 3, 1 / 6, 0.5), (2, 1 / 3, 0, 1), (3, 1 / 3, 0, 1)], atol=1e-15
    )


def test_removal_effects_do_not_depend_on_the_order_of_rows(query: str) -> None:
    paths = CHAINS["many_paths"]
    assert effects(query, paths) == effects(query, paths, descending=True)


# -- The demo shop ------------------------------------------------------------------


def weights_of(path: list[tuple]) -> dict[str, list[float]]:
    """Return the share of each touch (channel, days before the order) by model."""
    n = len(path)
    position = {1: [1.0], 2: [0.5, 0.5]}.get(
        n, [0.4, *[0.2 / max(n - 2, 1)] * (n - 2), 0.4]
    )
    decay = [2 ** (-days / 7) for _, days in path]
    return {
        "first_touch": [1.0] + [0.0] * (n - 1),
        "last_touch": [0.0] * (n - 1) + [1.0],
        "linear": [1 / n] * n,
        "position_based": position,
        "time_decay": [weight / sum(decay) for weight in decay],
    }


def paths_of_the_demo_shop(demo) -> list[tuple[Path_, bool]]:
    """Return each path whose window has passed, and whether no order came before it."""
    ((cutoff,),) = demo.query(
        "select cutoff_date from int_cutoff_dates where cutoff = 'live'"
    )
    orders = defaultdict(list)
    for customer, moment in demo.query(
        "select customer_id, ordered_at from fct_orders where order_number is not null"
        " order by order_number"
    ):
        orders[customer].append(moment)
    groups = defaultdict(list)
    for customer, touched, channel in demo.query(
        "select customer_id, touched_at, channel from base_shop__touchpoints"
        " where row_outcome = 'accepted'"
        " order by touched_at, touchpoint_id"
    ):
        if touched.date() <= cutoff:
            earlier = bisect_left(orders[customer], touched)
            later = orders[customer][earlier : earlier + 1]
            converts = any((o.date() - touched.date()).days <= 90 for o in later)
            is_open = not later and (cutoff - touched.date()).days < 90
            if not is_open:
                groups[customer, earlier, converts].append((touched.date(), channel))
    names = sorted({channel for touches in groups.values() for _, channel in touches})
    paths = []
    for (_, earlier, converts), touches in groups.items():
        if (cutoff - touches[0][0]).days < 90:
            continue
        path: list[int] = []
        for number, (day, channel) in enumerate(touches):
            if number and (day - touches[number - 1][0]).days > 90:
                paths.append(((path, converts), earlier == 0))
                path = []
            path.append(names.index(channel) + 1)
        paths.append(((path, converts), earlier == 0))
    return paths


def test_the_effects_on_first_orders_are_those_of_paths_before_any_order(demo) -> None:
    paths = paths_of_the_demo_shop(demo)
    chains = {
        "all_orders": [path for path, _ in paths],
        "first_orders": [path for path, is_first in paths if is_first],
    }
    assert 1_000 < len(chains["first_orders"]) < len(chains["all_orders"]) - 500
    for scope, chain in chains.items():
        found = demo.query(
            "select touch_count, conversion_rate, conversion_rate_without,"
            " removal_effect_rate from int_channel_removal_effects"
            f" where path_scope = '{scope}' order by channel"
        )
        overall = conversion_rate(chain)
        expected = [
            (
                sum(channels.count(channel) for channels, _ in chain),
                overall,
                without,
                1 - without / overall,
            )
            for channel in range(1, 7)
            for without in [conversion_rate(chain, without=channel)]
        ]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_credits_are_those_of_going_through_the_paths_one_by_one(demo) -> None:
    touches = defaultdict(list)
    for customer, touched, channel in demo.query(
        "select customer_id, touched_at, channel from base_shop__touchpoints"
        " where row_outcome = 'accepted'"
        " and touched_at < (select cutoff_date + 1 from int_cutoff_dates"
        " where cutoff = 'live') order by touched_at, touchpoint_id"
    ):
        touches[customer].append((touched, channel))
    own = dict(demo.query("select customer_id, acquisition_channel from dim_customers"))
    removal: dict = defaultdict(dict)
    for scope, channel, effect in demo.query(
        "select path_scope, channel, removal_effect_rate"
        " from int_channel_removal_effects"
    ):
        removal[scope][channel] = effect
    first_purchases = set(
        demo.query(
            "select customer_id, coalesce(min(case when revenue_amount > 0"
            " then order_number end), min(order_number)) from fct_orders"
            " join dim_customers using (customer_id)"
            " where order_date = first_purchase_date and order_state = 'completed'"
            " group by customer_id"
        )
    )
    credits: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(5))
    touched_sums: dict = defaultdict(lambda: np.zeros(5))
    touched_channels: dict = defaultdict(set)
    last: dict = {}
    for customer, moment, month, number, is_order, revenue, margin in demo.query(
        "select customer_id, ordered_at, order_month, order_number, order_amount >= 0,"
        " revenue_amount, margin_amount from fct_orders where order_state = 'completed'"
        " order by ordered_at, order_amount < 0, order_id"
    ):
        before, known = last.get(customer, (None, None))
        if number is not None:
            touched = touches[customer]
            start = bisect_left(
                touched, True, key=lambda x: not before or x[0] > before
            )
            path = [
                (channel, (moment.date() - at.date()).days)
                for at, channel in touched[start:]
                if at <= moment and (moment.date() - at.date()).days <= 90
            ]
            last[customer] = (moment, path)
        else:
            path = known if customer is not None else None
        untouched = 0.0 if path else float(revenue)
        is_first = (customer, number) in first_purchases
        line = np.array([is_order, float(revenue), float(margin), untouched, is_first])
        if path:
            # new customers are divided by the chain of first orders, all else is not
            touched_sums[month, "all_orders"] += line * [1, 1, 1, 1, 0]
            touched_channels[month, "all_orders"] |= {channel for channel, _ in path}
            if is_first:
                touched_sums[month, "first_orders"] += [0, 0, 0, 0, 1]
                touched_channels[month, "first_orders"] |= {
                    channel for channel, _ in path
                }
        else:
            path = [(own.get(customer, "unknown"), 0)]
            credits["markov", month, path[0][0]] += line
        for model, weights in weights_of(path).items():
            for (channel, _), weight in zip(path, weights, strict=True):
                credits[model, month, channel] += weight * line
    for (month, scope), channels in touched_channels.items():
        effects = {channel: removal[scope][channel] for channel in channels}
        for channel, effect in effects.items():
            share = effect / sum(effects.values())
            credits["markov", month, channel] += share * touched_sums[month, scope]
    found = {
        tuple(row[:3]): [float(number) for number in row[3:]]
        for row in demo.query(
            "select attribution_model, calendar_month, channel, attributed_orders,"
            " attributed_revenue_amount, attributed_margin_amount,"
            " untouched_revenue_amount, attributed_new_customers"
            " from int_attribution_credits"
        )
    }
    assert set(credits) <= set(found)
    for key, sums in found.items():
        np.testing.assert_allclose(sums, credits[key], rtol=1e-6, atol=1e-3)


def test_where_all_channels_are_active_markov_divides_by_removal_effects(demo) -> None:
    """The division of Anderl et al. 2016, of the touched orders of all such months."""
    rows = demo.query("""
        with touched as (
            select
                attribution_model, calendar_month, channel, removal_effect_rate,
                attributed_orders - untouched_order_count as orders
            from fct_channel_attribution
        ),
        months as (
            select calendar_month
            from touched
            where attribution_model = 'linear' and orders > 0
            group by calendar_month
            having count(*) = (
                select count(distinct channel) from int_channel_removal_effects
            )
        )
        select channel, max(removal_effect_rate), sum(orders), count(*)
        from touched
        join months using (calendar_month)
        where attribution_model = 'markov' and removal_effect_rate is not null
        group by channel
    """)
    removal = {channel: effect for channel, effect, _, _ in rows}
    total = float(sum(orders for _, _, orders, _ in rows))
    assert len(rows) == 6
    assert total > 3_000
    for channel, effect, orders, months in rows:
        expected = effect / sum(removal.values()) * total
        # each month is rounded to four decimals
        assert abs(float(orders) - expected) < 1e-4 * months, channel


def test_a_channel_of_repeat_orders_wins_few_new_customers(demo) -> None:
    """E-mail: many repeat orders, about as few new customers by all six models."""
    found = dict(
        demo.query("""
            select attribution_model, sum(attributed_new_customers)
            from fct_channel_attribution where channel = 'email'
            group by attribution_model
        """)
    )
    for model, customers in found.items():
        assert abs(customers / found["linear"] - 1) < 0.1, model


def test_the_last_touch_before_the_first_purchase_is_in_the_acquisition_channel(
    demo, truth
) -> None:
    ((customers, hits),) = demo.query("""
        with first_orders as (
            select orders.customer_id, min(orders.order_number) as path_order_number
            from fct_orders as orders
            join dim_customers using (customer_id)
            where orders.order_date = first_purchase_date and orders.revenue_amount > 0
            group by orders.customer_id
        )
        select count(*), sum((channel = acquisition_channel)::int)
        from int_attribution_touches
        join first_orders using (customer_id, path_order_number)
        join dim_customers using (customer_id)
        where touch_number = path_touch_count and acquisition_channel != 'unknown'
    """)
    share = truth["touchpoints"]["last_touch_in_acquisition_channel"]
    assert customers > 2_500
    # four standard errors
    assert abs(hits / customers - share) < 4 * (share * (1 - share) / customers) ** 0.5


def test_every_paid_channel_of_the_demo_shop_is_credited_its_customers(
    demo, truth
) -> None:
    found = dict(
        demo.query("""
            select channel, sum(attributed_new_customers) from fct_channel_attribution
            where attribution_model = 'last_touch' group by channel
        """)
    )
    for name, channel in truth["channels"].items():
        # 15 % leave for other channels, about as many come from them
        assert abs(float(found[name]) / channel["customers"] - 1) < 0.1
    assert found[truth["brand_channel"]["channel"]] == 0
