"""The demo shop's stages, worked out a second time from what each customer did.

Python looks at one evening at a time and knows nothing later; the warehouse follows
every customer through all days at once. Both must say the same.
"""

import math
from bisect import bisect_right
from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from conftest import Warehouse

EVENINGS = [
    date(2023, 2, 28),
    date(2023, 9, 3),
    date(2024, 1, 1),
    date(2024, 7, 31),
    date(2025, 3, 15),
    date(2025, 12, 31),
]

Days = dict[str, dict[date, float]]


class Shop:
    """What the customers did: as delivered, not as the warehouse counts."""

    def __init__(self, demo: Warehouse) -> None:
        self.known = dict(
            demo.query("select customer_id, acquired_date from dim_customers")
        )
        ((self.threshold,),) = demo.query(
            "select inactivity_days from int_churn_threshold"
        )
        self.purchases: Days = defaultdict(dict)
        for customer, day, revenue in demo.query("""
            select customer_id, order_date, sum(revenue_amount)
            from fct_orders
            where not is_guest and order_state = 'completed'
            group by all having sum(revenue_amount) > 0 order by all
        """):
            self.purchases[customer][day] = float(revenue)
        self.contracts = defaultdict(list)
        for customer, start, end, fee in demo.query("""
            select customer_id, cast(started_at as date), cast(ended_at as date),
                monthly_amount
            from base_shop__subscriptions where row_outcome = 'accepted' order by all
        """):
            if customer in self.known:
                self.contracts[customer].append((start, end or date.max, float(fee)))


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError


def stays_of_contracts(contracts: list[tuple]) -> list[list[date]]:
    """Contracts that overlap or touch, taken together."""
    merged: list[list[date]] = []
    for start, end, _ in sorted(contracts):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged


def stage_on(evening: date, customer: str, shop: Shop) -> str | None:
    """The stage of one customer on one evening, from what had happened by then."""
    if shop.known[customer] > evening:
        return None
    threshold = timedelta(shop.threshold)
    half = timedelta(math.ceil(shop.threshold / 2))
    contracts = [
        # an end that lies ahead is not known
        (start, end if end <= evening else date.max, fee)
        for start, end, fee in shop.contracts[customer]
        if start <= evening
    ]
    merged = stays_of_contracts(contracts)
    events = {
        day: revenue
        for day, revenue in shop.purchases[customer].items()
        if day <= evening
    }
    outside = [d for d in events if not any(s <= d < e for s, e in merged)]
    for start, end in merged:
        months = 0
        while (paid := months_after(start, months)) <= evening and (
            paid < end or months == 0
        ):
            fees = sum(fee for s, e, fee in contracts if s <= paid < e)
            events[paid] = events.get(paid, 0) + fees
            months += 1
    if not events:
        return "acquired"

    # stays: what keeps a customer, and until when
    kept = sorted([*map(tuple, merged), *((d, d + threshold) for d in outside)])
    stays: list[list[date]] = []
    for start, end in kept:
        if stays and start <= stays[-1][1]:
            stays[-1][1] = max(stays[-1][1], end)
        else:
            stays.append([start, end])
    came, left = stays[-1]
    if left <= evening:
        return "churned"
    days = sorted(events)
    stay = [day for day in days if day >= came]
    bought_outside = [day for day in outside if day >= came]
    if (
        not any(end > evening for _, end in merged)
        and evening - max(bought_outside) >= half
    ):
        return "at_risk"
    if len(stays) > 1 and len(stay) <= 2:
        return "won_back"
    if len(days) == 1:
        return "activated"
    if len(days) <= 3:
        return "retained"
    pace = sum(events[day] for day in stay[1:])
    latest = sum(events[day] for day in stay[-3:])
    if (
        len(stay) > 3
        and pace > 0
        and latest / (stay[-1] - stay[-4]).days
        >= 1.25 * pace / (stay[-1] - stay[0]).days
    ):
        return "loyal_growing"
    return "loyal_steady"


@pytest.mark.parametrize("evening", EVENINGS, ids=str)
def test_a_stage_is_what_was_known_on_the_evening(
    evening: date, demo: Warehouse, shop: Shop
) -> None:
    said = defaultdict(list)
    for customer, day, stage in demo.query(
        "select customer_id, from_date, stage from int_stage_changes order by 1, 2"
    ):
        said[customer].append((day, stage))
    differences = []
    for customer in shop.known:
        days = [day for day, _ in said[customer]]
        place = bisect_right(days, evening)
        stage = said[customer][place - 1][1] if place else None
        expected = stage_on(evening, customer, shop)
        if stage != expected:
            differences.append((customer, stage, expected))
    assert not differences


@pytest.fixture(scope="module")
def shop(demo: Warehouse) -> Shop:
    """The demo shop's customers, purchases and contracts."""
    return Shop(demo)


@pytest.mark.parametrize(
    ("case", "stage"),
    [
        ("active 0 0 0", "acquired"),
        ("active 1 1 0", "activated"),
        ("active 2 2 0", "retained"),
        ("active 3 3 0", "retained"),
        ("active 4 4 0", "loyal_steady"),
        ("active 4 4 0 growing", "loyal_growing"),
        ("active 1 1 0.5", "at_risk"),
        ("active 4 3 0.5 growing", "at_risk"),
        ("won_back 2 1 0", "won_back"),
        ("won_back 4 2 0 growing", "won_back"),
        ("won_back 3 3 0", "retained"),
        ("won_back 4 3 0", "loyal_steady"),
        ("won_back 2 1 0.5", "at_risk"),
        ("churned 1 1 0", "churned"),
        ("churned 4 3 0.5 growing", "churned"),
    ],
)
def test_the_shipped_rules_say_who_is_in_which_stage(
    case: str, stage: str, demo: Warehouse
) -> None:
    churn_state, bought, stay_bought, silence, *growing = case.split()
    assert demo.query(
        f"select stage from int_stage_cases where churn_state = '{churn_state}'"
        f" and bought_count = {bought} and silence_rate = {silence}"
        f" and stay_bought_count = least({stay_bought}, 3)"
        f" and is_growing = {bool(growing)}"
    ) == [(stage,)]


def test_who_stays_silent_is_lost_on_the_day_that_churn_names(demo: Warehouse) -> None:
    rows = demo.query("""
        select
            count(*),
            count(*) filter (
                where stage_if_silent_date - date '2025-12-31' = days_until_churn
            )
        from fct_customer_lifecycle inner join fct_customer_churn using (customer_id)
        where stage_if_silent = 'churned' and relationship = 'noncontractual'
    """)
    ((customers, agreed),) = rows
    assert agreed == customers > 100


def chain_state(evening: date, stage: str, since: date) -> str:
    """The stage, or gone: in the twelfth month after the one of the churn, or later."""
    months = (evening.year - since.year) * 12 + evening.month - since.month
    return "gone" if stage == "churned" and months >= 12 else stage


def test_a_stage_is_worth_what_a_chain_with_former_customers_brings(
    demo: Warehouse,
) -> None:
    stages = [stage for (stage,) in demo.query("select stage from fct_stage_value")]
    states = {state: place for place, state in enumerate([*stages, "gone"])}
    changes = defaultdict(list)
    for customer, day, stage in demo.query(
        "select customer_id, from_date, stage from int_stage_changes order by 1, 2"
    ):
        changes[customer].append((day, stage))
    margins = {
        (customer, month): float(margin)
        for customer, month, margin in demo.query(
            "select customer_id, activity_month, margin_amount from fct_customer_months"
        )
    }
    month_starts = [months_after(date(2025, 1, 1), month) for month in range(13)]
    counts = np.zeros((len(states), len(states)))
    brought = np.zeros(len(states))
    present: dict[str, list[str]] = defaultdict(list)
    for customer, days in changes.items():
        before = None
        for start in month_starts:
            evening = start - timedelta(1)
            place = bisect_right([day for day, _ in days], evening)
            state = None
            if place:
                day, stage = days[place - 1]
                state = chain_state(evening, stage, day)
            if before is not None and before != "gone":
                counts[states[before], states[state]] += 1
                last_month = months_after(start, -1)
                brought[states[before]] += margins.get((customer, last_month), 0)
            before = state
        if before:
            present[stage].append(before)

    customer_months = counts.sum(axis=1)
    assert customer_months[states["gone"]] == 0 < counts[:, states["gone"]].sum()
    counts[states["gone"], states["gone"]] = 1
    matrix = counts / counts.sum(axis=1, keepdims=True)
    rewards = brought / np.maximum(customer_months, 1)
    worth = sum(
        1.1 ** (-(month + 0.5) / 12) * np.linalg.matrix_power(matrix, month) @ rewards
        for month in range(36)
    )
    said = demo.query("""
        select
            stage, customer_count, customer_month_count, staying_rate, gone_rate,
            markov_value_amount
        from fct_stage_value
    """)
    assert len(said) == 8
    for stage, customers, months, staying, gone, value in said:
        place = states[stage]
        assert customers == len(present[stage])
        assert months == customer_months[place]
        assert staying == pytest.approx(matrix[place, place])
        assert gone == pytest.approx(present[stage].count("gone") / customers)
        assert float(value) == pytest.approx(worth[place] * (1 - gone), abs=1e-4)
