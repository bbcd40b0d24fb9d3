"""Write the demo shop: ten input tables whose ground truth is known.

The shop is drawn from the processes that the warehouse learns (BG/NBD purchases,
Gamma-Gamma spend, shifted-beta-geometric contracts), so that every estimate can be
held against the parameter that was put in. Dirty rows are added on top, each with
its reason; `ground_truth.json` keeps the parameters and the exact accounting.

The same bytes come out of every run: each part of the shop draws from a PCG64
stream of its own, keyed by the seed and the part's name.

Usage: python scripts/make_demo_shop.py [--output DIR]
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
EXCHANGE_RATES = ROOT / "seeds" / "reference" / "exchange_rates.csv"

# --------------------------------------------------------------------------------------
# Ground truth
# --------------------------------------------------------------------------------------

SEED = 9
FIRST_DAY = np.datetime64("2023-01-01", "D")
LAST_DAY = np.datetime64("2025-12-31", "D")
DAYS = int((LAST_DAY - FIRST_DAY).astype(int)) + 1
YEAR_STARTS = (0, 365, 731, 1096)
SECONDS_PER_DAY = 86_400
LAST_UPDATE = (DAYS + 1) * SECONDS_PER_DAY + 18 * 3_600  # 2026-01-02 18:00:00


@dataclass(frozen=True)
class Channel:
    """One acquisition channel: size, loyalty (BG/NBD), cost and satisfaction.

    `alpha` is in weeks. `cac` is marketing spend in EUR per new customer over the
    three years, None for a channel without spend. `promoters` and `detractors` are
    the shares of survey answers 9-10 and 0-6.
    """

    name: str
    customers: int
    r: float
    alpha: float
    a: float
    b: float
    cac: float | None
    campaigns: dict[str, float]
    promoters: float
    detractors: float


CHANNELS = (
    Channel(
        name="organic_search",
        customers=640,
        r=0.42,
        alpha=4.5,
        a=0.5,
        b=1.9,
        cac=None,
        campaigns={},
        promoters=0.52,
        detractors=0.14,
    ),
    Channel(
        name="paid_search",
        customers=500,
        r=0.4,
        alpha=5.0,
        a=0.65,
        b=2.0,
        cac=32.0,
        campaigns={"brand_terms": 0.4, "generic_terms": 0.6},
        promoters=0.42,
        detractors=0.22,
    ),
    Channel(
        name="paid_social",
        customers=460,
        r=0.38,
        alpha=5.0,
        a=0.9,
        b=2.2,
        cac=41.0,
        campaigns={"prospecting": 0.7, "retargeting": 0.3},
        promoters=0.34,
        detractors=0.3,
    ),
    Channel(
        name="affiliate",
        customers=380,
        r=0.36,
        alpha=5.0,
        a=0.8,
        b=1.6,
        cac=26.0,
        campaigns={"voucher_sites": 1.0},
        promoters=0.3,
        detractors=0.34,
    ),
    Channel(
        name="referral",
        customers=390,
        r=0.4,
        alpha=4.0,
        a=0.4,
        b=2.0,
        cac=14.0,
        campaigns={"bring_a_friend": 1.0},
        promoters=0.62,
        detractors=0.08,
    ),
    Channel(
        name="email",
        customers=410,
        r=0.42,
        alpha=5.0,
        a=0.5,
        b=2.2,
        cac=6.0,
        campaigns={"newsletter": 0.6, "welcome_series": 0.4},
        promoters=0.5,
        detractors=0.14,
    ),
)
NEVER_ORDERED = 240

# Spend per purchase day: spend ~ Gamma(p, rate nu), nu ~ Gamma(q, rate v).
SPEND_P, SPEND_Q, SPEND_V = 5.0, 4.0, 36.0

# Purchase intensity through the year: 1 + amplitude * cos(2 pi (u - peak)).
SEASON_AMPLITUDE, SEASON_PEAK = 0.15, 0.90

# New customers: weight of each calendar month, and of each year.
MONTH_WEIGHTS = (0.85, 0.8, 0.9, 0.85, 0.85, 0.8, 0.75, 0.8, 0.95, 1.05, 1.6, 1.8)
YEAR_WEIGHTS = (1.0, 1.15, 1.3)
SILENT_CHANNEL, SILENT_MONTH = "affiliate", "2024-02"
BRAND_CHANNEL, BRAND_SPEND = "tv", 18_000.0
BRAND_MONTHS = ("2023-11", "2023-12", "2024-11", "2024-12", "2025-11", "2025-12")

# Contracts: a relationship's chance to end at each monthly renewal ~ Beta.
CONTRACT_ALPHA, CONTRACT_BETA = 0.9, 3.6
SUBSCRIBERS = 300
PLAN_CHANGE_PROBABILITY, UPGRADE_SHARE, WINBACK_PROBABILITY = 0.15, 0.6, 0.15
PLANS = (1_200, 1_900, 2_900)  # cents a month
PLAN_NAMES = ("small", "medium", "large")

# Surveys: from the third purchase on, customers are happier.
SURVEY_PROBABILITY = 0.12
LOYAL_PURCHASES, LOYAL_PROMOTERS, LOYAL_DETRACTORS = 3, 0.10, -0.05

LAST_TOUCH_IN_CHANNEL = 0.85
BROWSE_VISITS_PER_WEEK = 0.02  # while the customer is alive, none after

WINBACK_DAY = np.datetime64("2025-09-01", "D")
WINBACK_UPLIFT = {"control": 0.0, "winback_email": 0.04, "winback_voucher": 0.08}
WINBACK_COST = {"control": 0.0, "winback_email": 0.15, "winback_voucher": 4.0}
WINBACK_ARM_SIZE, WINBACK_INACTIVE_DAYS, WINBACK_WINDOW = 400, 90, 60
LOYALTY_DAY = np.datetime64("2025-04-01", "D")
LOYALTY_COST = {"control": 0.0, "loyalty_push": 0.5}
LOYALTY_ARM_SIZE = 300

SPLIT_SHARE = 0.04
PARTIAL_REFUND_SHARE = 0.03
DISCOUNT_SHARE = 0.15
MISSING_COST_SHARE = 0.10
MISSING_LINE_COST_SHARE = 0.12
GUEST_SHARE = 0.04
SIDE_ORDERS = {
    "full_refund": 110,
    "zero_amount": 45,
    "negative_amount": 40,
    "cancelled": 320,
    "pending": 45,
}
UNKNOWN_STATUS, UNKNOWN_STATUS_ORDERS = "teleported", 8
UNKNOWN_CUSTOMERS = ("C9901", "C9902", "C9903", "C9904", "C9905")

# Cost as a share of the list price: one minus the margin rate of the category.
COST_SHARES = {
    "coffee": 0.52,
    "tea": 0.42,
    "brewers": 0.68,
    "mugs": 0.45,
    "accessories": 0.48,
    "gifts": 0.60,
}
# (category, product, list price in EUR)
PRODUCTS = (
    ("coffee", "House blend 250 g", 7.9),
    ("coffee", "Decaf 250 g", 9.9),
    ("coffee", "Espresso 500 g", 12.5),
    ("coffee", "Ethiopia 500 g", 14.9),
    ("coffee", "Colombia 500 g", 17.9),
    ("coffee", "Filter box", 22.0),
    ("coffee", "Espresso 1 kg", 27.5),
    ("coffee", "Micro-lot 1 kg", 38.0),
    ("tea", "Peppermint", 4.9),
    ("tea", "Earl Grey", 6.5),
    ("tea", "Green sencha", 8.9),
    ("tea", "White peony", 11.5),
    ("tea", "Oolong", 14.5),
    ("tea", "Matcha 80 g", 19.0),
    ("tea", "Tea collection", 29.0),
    ("brewers", "Pour-over cone", 29.0),
    ("brewers", "French press", 39.0),
    ("brewers", "Moka pot", 55.0),
    ("brewers", "Gooseneck kettle", 75.0),
    ("brewers", "Hand grinder", 109.0),
    ("brewers", "Electric grinder", 159.0),
    ("brewers", "Filter machine", 239.0),
    ("mugs", "Enamel mug", 9.0),
    ("mugs", "Stoneware mug", 12.0),
    ("mugs", "Travel mug", 16.0),
    ("mugs", "Glass pair", 22.0),
    ("mugs", "Espresso cups, four", 32.0),
    ("mugs", "Tea set", 45.0),
    ("accessories", "Paper filters", 3.9),
    ("accessories", "Tea strainer", 6.0),
    ("accessories", "Coffee clip", 8.5),
    ("accessories", "Storage tin", 13.0),
    ("accessories", "Milk frother", 19.5),
    ("accessories", "Tamper", 33.0),
    ("accessories", "Scale", 59.0),
    ("gifts", "Taster box", 19.0),
    ("gifts", "Tea for two", 29.0),
    ("gifts", "Coffee tour", 45.0),
    ("gifts", "Barista box", 69.0),
    ("gifts", "Grand hamper", 110.0),
)
CATEGORY_WEIGHTS = {
    "coffee": 0.30,
    "tea": 0.20,
    "brewers": 0.14,
    "mugs": 0.12,
    "accessories": 0.14,
    "gifts": 0.10,
}
# A later line of an order is drawn towards the companion of the first line.
COMPANIONS = {
    "coffee": "accessories",
    "tea": "mugs",
    "brewers": "coffee",
    "mugs": "tea",
    "accessories": "coffee",
    "gifts": "gifts",
}
FAVOURITE_PROBABILITY, COMPANION_PROBABILITY, AFFINITY_BOOST = 0.5, 0.35, 8.0
PRICE_SPREAD = 0.15  # standard deviation of log(price paid / list price)

# (country, region, city, weight)
PLACES = (
    ("DE", "Berlin", "Berlin", 0.16),
    ("DE", "Bavaria", "Munich", 0.11),
    ("DE", "Hamburg", "Hamburg", 0.08),
    ("DE", "North Rhine-Westphalia", "Cologne", 0.09),
    ("DE", "Saxony", "Leipzig", 0.05),
    ("FR", "Île-de-France", "Paris", 0.11),
    ("FR", "Auvergne-Rhône-Alpes", "Lyon", 0.05),
    ("FR", "Occitanie", "Toulouse", 0.04),
    ("NL", "North Holland", "Amsterdam", 0.07),
    ("NL", "South Holland", "Rotterdam", 0.05),
    ("IE", "Leinster", "Dublin", 0.05),
    ("IE", "Munster", "Cork", 0.02),
    ("GB", "England", "London", 0.055),
    ("GB", "England", "Manchester", 0.03),
    ("GB", "Scotland", "Edinburgh", 0.015),
    ("US", "New York", "New York", 0.012),
    ("US", "California", "San Francisco", 0.008),
)
CURRENCIES = {"GB": "GBP", "US": "USD"}
# Numbers that the regulators keep for films and books; none is known for NL.
PHONES = {
    "DE": "+49 30 23125 {:03d}",
    "FR": "+33 6 39 98 00 {:02d}",
    "IE": "+353 20 910 0{:03d}",
    "GB": "+44 7700 900{:03d}",
    "US": "+1 212 555 01{:02d}",
}
TRAITS = {
    "gender": {"female": 0.5, "male": 0.4, "diverse": 0.02, "": 0.08},
    "income_band": {"low": 0.2, "medium": 0.4, "high": 0.2, "": 0.2},
    "lifestyle": {"urban": 0.3, "family": 0.3, "outdoor": 0.2, "student": 0.1, "": 0.1},
}
FIRST_NAMES = ("Ada", "Bela", "Carla", "Edda", "Falk", "Greta", "Ivo", "Kai", "Pia")
LAST_NAMES = ("Ahorn", "Cedar", "Elder", "Fern", "Hazel", "Iris", "Linden", "Maple")


def stream(part: str) -> np.random.Generator:
    """Return the random stream of one part of the shop, independent of the others."""
    key = np.random.SeedSequence([SEED, zlib.crc32(part.encode())])
    return np.random.Generator(np.random.PCG64(key))


# --------------------------------------------------------------------------------------
# Text
# --------------------------------------------------------------------------------------


def iso_dates(days: Iterable[int]) -> list[str]:
    """Write days since the first day as `YYYY-MM-DD`."""
    moments = FIRST_DAY + np.asarray(list(days)).astype("timedelta64[D]")
    return [str(text) for text in np.datetime_as_string(moments)]


def timestamps(seconds: Iterable[int]) -> list[str]:
    """Write seconds since the first day as `YYYY-MM-DD HH:MM:SS`."""
    offsets = np.asarray(list(seconds)).astype("timedelta64[s]")
    moments = FIRST_DAY.astype("datetime64[s]") + offsets
    return [str(text).replace("T", " ") for text in np.datetime_as_string(moments)]


def money(cents: Iterable[int]) -> list[str]:
    """Write whole cents as an amount with two decimals."""
    return [f"{int(value) / 100:.2f}" for value in cents]


def day_number(day: np.datetime64) -> int:
    """Return the number of days since the first day."""
    return int((day - FIRST_DAY).astype(int))


def month_number(month: str) -> int:
    """Return the number of months since the first month."""
    return int((np.datetime64(month) - FIRST_DAY.astype("datetime64[M]")).astype(int))


def month_numbers(days: np.ndarray) -> np.ndarray:
    """Return the months since the first month of days since the first day."""
    months = (FIRST_DAY + days.astype("timedelta64[D]")).astype("datetime64[M]")
    return (months - FIRST_DAY.astype("datetime64[M]")).astype(int)


def opening_hours(gen: np.random.Generator, size: int) -> np.ndarray:
    """Draw seconds of the day between 07:00 and 22:59."""
    return (7 * 3_600 + gen.beta(2.0, 1.6, size) * 57_500).astype(int)


def share_out(total: int, weights: np.ndarray) -> np.ndarray:
    """Split a whole number by weight into whole numbers that add up to it."""
    edges = np.rint(np.cumsum(weights) / np.sum(weights) * total).astype(int)
    return np.diff(edges, prepend=0)


def pick(gen: np.random.Generator, weighted: dict[str, float], size: int) -> np.ndarray:
    """Draw names by weight."""
    weights = np.array(list(weighted.values()))
    return gen.choice(np.array(list(weighted)), size, p=weights / weights.sum())


# --------------------------------------------------------------------------------------
# Customers and their purchases
# --------------------------------------------------------------------------------------


@dataclass
class People:
    """Everyone the shop knows, one array element per person.

    The first ones ordered, the last `NEVER_ORDERED` did not: their `first_day` is
    the day they signed up. `alive_until` is in days since the first day.
    """

    channel: np.ndarray
    first_day: np.ndarray
    alive_until: np.ndarray
    nu: np.ndarray
    place: np.ndarray
    favourite: np.ndarray
    customer_id: np.ndarray = field(default_factory=lambda: np.empty(0, dtype="<U5"))


def season_clock() -> np.ndarray:
    """Return operational time at the start of each day, in days.

    Every calendar year of operational time is as long as the calendar year itself.
    """
    clock = np.empty(DAYS + 1)
    for start, end in pairwise(YEAR_STARTS):
        length = end - start
        u = np.arange(length + 1) / length
        swing = np.sin(2 * np.pi * (u - SEASON_PEAK)) + np.sin(2 * np.pi * SEASON_PEAK)
        warp = u + SEASON_AMPLITUDE / (2 * np.pi) * swing
        clock[start : end + 1] = start + length * warp
    return clock


def acquisition_weights() -> np.ndarray:
    """Return the weight of each of the 36 months in which customers are acquired."""
    return np.outer(YEAR_WEIGHTS, MONTH_WEIGHTS).ravel()


def draw_first_moments(channel: Channel, gen: np.random.Generator) -> np.ndarray:
    """Draw the moments of the first purchases of a channel, in days, sorted."""
    weights = acquisition_weights() * gen.lognormal(0.0, 0.15, 36)
    if channel.name == SILENT_CHANNEL:
        weights[month_number(SILENT_MONTH)] = 0.0
    months = np.repeat(np.arange(36), share_out(channel.customers, weights))
    starts = month_start_days()
    lengths = np.diff(starts)
    moments = starts[months] + gen.random(len(months)) * lengths[months]
    return np.sort(moments)


def month_start_days() -> np.ndarray:
    """Return the first day of each of the 36 months, and the day after the last."""
    months = FIRST_DAY.astype("datetime64[M]") + np.arange(37).astype("timedelta64[M]")
    return (months.astype("datetime64[D]") - FIRST_DAY).astype(int)


def draw_purchases(
    channel: Channel, first: np.ndarray, gen: np.random.Generator
) -> tuple[list[tuple[int, float]], np.ndarray]:
    """Draw repeat purchases from the channel's BG/NBD process.

    Returns
    -------
    purchases
        (customer, moment) pairs of the repeat purchases; moments in days.
    alive_until
        Moment at which each customer left, or the end of the data.
    """
    clock, days = season_clock(), np.arange(DAYS + 1)
    rate = gen.gamma(channel.r, 1 / channel.alpha, len(first)) / 7
    leave = gen.beta(channel.a, channel.b, len(first))
    now = np.interp(first, days, clock)
    alive_until = np.full(len(first), float(DAYS))
    active = np.arange(len(first))
    purchases: list[tuple[int, float]] = []
    while len(active):
        now[active] += gen.exponential(1.0, len(active)) / rate[active]
        active = active[now[active] < DAYS]
        moments = np.interp(now[active], clock, days)
        purchases += zip(active.tolist(), moments.tolist(), strict=True)
        leaves = gen.random(len(active)) < leave[active]
        alive_until[active[leaves]] = moments[leaves]
        active = active[~leaves]
    return purchases, alive_until


def draw_buyers() -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame]:
    """Draw the customers of every channel and their purchase days.

    Returns
    -------
    channel, first, alive_until
        Per customer: channel number, first moment, last moment alive (days).
    purchases
        One row per customer and purchase day: person, day.
    """
    channels, firsts, ends, rows = [], [], [], []
    offset = 0
    for number, channel in enumerate(CHANNELS):
        first = draw_first_moments(channel, stream(f"acquisition {channel.name}"))
        gen = stream(f"purchases {channel.name}")
        repeats, alive_until = draw_purchases(channel, first, gen)
        moments = [*enumerate(first.tolist()), *repeats]
        rows += [(offset + person, int(moment)) for person, moment in moments]
        channels.append(np.full(channel.customers, number))
        firsts.append(first)
        ends.append(alive_until)
        offset += channel.customers
    purchases = pd.DataFrame(sorted(set(rows)), columns=["person", "day"])
    return (
        np.concatenate(channels),
        np.concatenate(firsts),
        np.concatenate(ends),
        purchases,
    )


def draw_people() -> tuple[People, pd.DataFrame]:
    """Draw everyone the shop knows, and the purchase days of those who bought."""
    channel, first, alive_until, purchases = draw_buyers()
    gen = stream("people")
    sizes = np.array([c.customers for c in CHANNELS])
    silent_channel = np.repeat(
        np.arange(len(CHANNELS)), share_out(NEVER_ORDERED, sizes)
    )
    months = np.repeat(np.arange(36), share_out(NEVER_ORDERED, acquisition_weights()))
    signed_up = month_start_days()[gen.permutation(months)] + gen.integers(
        0, 28, NEVER_ORDERED
    )
    total = len(channel) + NEVER_ORDERED
    people = People(
        channel=np.concatenate([channel, silent_channel]),
        first_day=np.concatenate([first.astype(int), signed_up]),
        alive_until=np.concatenate([alive_until, np.zeros(NEVER_ORDERED)]),
        nu=gen.gamma(SPEND_Q, 1 / SPEND_V, total),
        place=draw_places(gen, total),
        favourite=pick(gen, CATEGORY_WEIGHTS, total),
    )
    return people, purchases


def draw_places(gen: np.random.Generator, size: int) -> np.ndarray:
    """Draw where people live, as numbers of `PLACES`."""
    weights = np.array([place[3] for place in PLACES])
    return gen.choice(len(PLACES), size, p=weights / weights.sum())


def draw_spend(gen: np.random.Generator, nu: np.ndarray) -> np.ndarray:
    """Draw spend per purchase day in cents, one euro at the least."""
    spend = gen.gamma(SPEND_P, 1.0, len(nu)) / nu
    return np.maximum(np.rint(100 * spend), 100).astype(int)


# --------------------------------------------------------------------------------------
# Experiments
# --------------------------------------------------------------------------------------


def assign_winback(
    purchases: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, dict[str, int]]]:
    """Assign lapsed customers at random and add the purchases an arm brings about.

    Exactly `uplift x arm size` customers who would not have bought within the
    window buy once in it.

    Returns
    -------
    assigned
        person, arm.
    extra
        person, day of the additional purchases.
    outcome
        Per arm: customers, those who buy anyway, those who buy additionally.
    """
    gen, start = stream("winback"), day_number(WINBACK_DAY)
    bought = purchases[purchases.day <= start].groupby("person").day.max()
    lapsed = bought.index[bought < start - WINBACK_INACTIVE_DAYS].to_numpy()
    chosen = gen.permutation(lapsed)[: WINBACK_ARM_SIZE * len(WINBACK_UPLIFT)]
    in_window = purchases.day.between(start + 1, start + WINBACK_WINDOW)
    buyers = set(purchases.person[in_window])
    assigned, extra, outcome = [], [], {}
    for number, (arm, uplift) in enumerate(WINBACK_UPLIFT.items()):
        members = chosen[number * WINBACK_ARM_SIZE :][:WINBACK_ARM_SIZE]
        others = np.array([person for person in members if person not in buyers])
        added = gen.permutation(others)[: round(uplift * WINBACK_ARM_SIZE)]
        days = start + gen.integers(3, 51, len(added))
        assigned += [(person, arm) for person in members]
        extra += zip(added.tolist(), days.tolist(), strict=True)
        outcome[arm] = {
            "customers": len(members),
            "would_buy_anyway": len(members) - len(others),
            "buy_additionally": len(added),
        }
    return (
        pd.DataFrame(assigned, columns=["person", "arm"]),
        pd.DataFrame(extra, columns=["person", "day"]),
        outcome,
    )


def assign_loyalty(purchases: pd.DataFrame) -> pd.DataFrame:
    """Assign customers with two purchases or more to an experiment without effect."""
    gen, start = stream("loyalty"), day_number(LOYALTY_DAY)
    counts = purchases[purchases.day < start].groupby("person").size()
    chosen = gen.permutation(counts.index[counts >= 2].to_numpy())
    arms = np.repeat(list(LOYALTY_COST), LOYALTY_ARM_SIZE)
    return pd.DataFrame({"person": chosen[: len(arms)], "arm": arms})


def experiments_table(
    winback: pd.DataFrame, loyalty: pd.DataFrame, people: People
) -> pd.DataFrame:
    """Write both experiments."""
    parts = []
    for name, assigned, day, costs in (
        ("loyalty_push_2025", loyalty, LOYALTY_DAY, LOYALTY_COST),
        ("winback_email_2025", winback, WINBACK_DAY, WINBACK_COST),
    ):
        part = pd.DataFrame(
            {
                "experiment_id": name,
                "customer_id": people.customer_id[assigned.person],
                "arm": assigned.arm,
                "assigned_at": f"{day} 23:00:00",
                "cost_amount": [f"{costs[arm]:.2f}" for arm in assigned.arm],
            }
        )
        parts.append(part.sort_values("customer_id"))
    return pd.concat(parts, ignore_index=True)


# --------------------------------------------------------------------------------------
# Orders
# --------------------------------------------------------------------------------------


def load_rates() -> dict[tuple[str, int], float]:
    """Read EUR per unit of a currency, by currency and month number."""
    frame = pd.read_csv(EXCHANGE_RATES, dtype={"rate_month": str})
    days = np.array([day_number(np.datetime64(text)) for text in frame.rate_month])
    keys = zip(frame.currency, month_numbers(days).tolist(), strict=True)
    rates = dict(zip(keys, frame.rate.tolist(), strict=True))
    return rates | {("EUR", month): 1.0 for month in range(36)}


def order_part(kind: str, person: np.ndarray, day: np.ndarray, **columns) -> dict:
    """Return the columns that every kind of order has, with the usual defaults."""
    zeros = np.zeros(len(person), dtype=int)
    return {
        "kind": np.full(len(person), kind, dtype="<U16"),
        "person": np.asarray(person),
        "day": np.asarray(day),
        "second": zeros - 1,
        "net": zeros,
        "refund": zeros,
        "status": np.full(len(person), "completed", dtype="<U16"),
    } | columns


def purchase_orders(purchases: pd.DataFrame, people: People) -> list[dict]:
    """Turn purchase days into orders; some days have two.

    `net` is what stays after refunds, so that it is the drawn spend; a partial
    refund is added to what was charged first.
    """
    gen = stream("orders")
    person, day = purchases.person.to_numpy(), purchases.day.to_numpy()
    size = len(purchases)
    spend = draw_spend(gen, people.nu[person])
    second = opening_hours(gen, size)
    split = gen.random(size) < SPLIT_SHARE
    later = np.where(split, np.rint(spend * (0.3 + 0.4 * gen.random(size))), 0)
    refunded = gen.random(size) < PARTIAL_REFUND_SHARE
    refund = np.where(refunded, np.rint(spend * (0.1 + 0.6 * gen.random(size))), 0)
    status = pick(
        gen, {"completed": 0.7, "delivered": 0.15, "shipped": 0.1, "paid": 0.05}, size
    ).astype("<U16")
    plain = np.flatnonzero(~split & ~refunded & (day < DAYS - 30))
    status[gen.choice(plain, UNKNOWN_STATUS_ORDERS, replace=False)] = UNKNOWN_STATUS
    first = order_part("purchase", person, day) | {
        "second": second,
        "net": spend - later.astype(int),
        "refund": refund.astype(int),
        "status": status,
    }
    pause = gen.integers(60, 3_500, size)
    extra = order_part("purchase", person[split], day[split]) | {
        "second": (second + pause)[split],
        "net": later[split].astype(int),
        "status": status[split],
    }
    return [first, extra]


def free_days(
    gen: np.random.Generator,
    purchases: pd.DataFrame,
    taken: set[tuple[int, int]],
    size: int,
    draw_day: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Find days of known customers, after a purchase of theirs, without any order."""
    found: list[tuple[int, int]] = []
    while len(found) < size:
        rows = gen.integers(0, len(purchases), size)
        bought = purchases.day.to_numpy()[rows]
        for person, before, day in zip(
            purchases.person.to_numpy()[rows].tolist(),
            bought.tolist(),
            draw_day(bought).tolist(),
            strict=True,
        ):
            if before < day < DAYS and (person, day) not in taken:
                taken.add((person, day))
                found.append((person, day))
    pairs = np.array(found[:size])
    return pairs[:, 0], pairs[:, 1]


def side_orders(purchases: pd.DataFrame, people: People) -> list[dict]:
    """Add orders that are no purchases: they leave the purchase process as it is."""
    gen = stream("side orders")
    taken = set(zip(purchases.person.tolist(), purchases.day.tolist(), strict=True))

    def soon(bought: np.ndarray) -> np.ndarray:
        return bought + gen.integers(1, 21, len(bought))

    def at_the_end(bought: np.ndarray) -> np.ndarray:
        return gen.integers(DAYS - 10, DAYS, len(bought))

    parts = []
    for kind, size in SIDE_ORDERS.items():
        draw_day = at_the_end if kind == "pending" else soon
        person, day = free_days(gen, purchases, taken, size, draw_day)
        spend = draw_spend(gen, people.nu[person])
        part = order_part(kind, person, day)
        if kind == "full_refund":
            part |= {"refund": spend, "status": np.full(size, "refunded")}
        elif kind == "negative_amount":
            part |= {"net": -np.rint(spend * 0.4).astype(int)}
        elif kind == "cancelled":
            status = pick(gen, {"cancelled": 0.85, "failed": 0.15}, size)
            part |= {"net": spend, "status": status}
        elif kind == "pending":
            status = pick(
                gen, {"pending": 0.4, "processing": 0.4, "on_hold": 0.2}, size
            )
            part |= {"net": spend, "status": status}
        parts.append(part)
    return parts


def strangers_orders(purchases: pd.DataFrame) -> list[dict]:
    """Add guests (person -1) and customers nobody knows (person -2 and below)."""
    gen = stream("guests")
    size = round(GUEST_SHARE * len(purchases))
    day = purchases.day.to_numpy()[gen.integers(0, len(purchases), size)]
    nu = gen.gamma(SPEND_Q, 1 / SPEND_V, size)
    guests = order_part("guest", np.full(size, -1), day, net=draw_spend(gen, nu))
    person = np.repeat(-2 - np.arange(len(UNKNOWN_CUSTOMERS)), (1, 2, 3, 2, 3))
    day = 200 + 75 * np.arange(len(person))
    nu = np.full(len(person), SPEND_Q / SPEND_V)
    unknown = order_part("unknown_customer", person, day, net=draw_spend(gen, nu))
    return [guests, unknown]


def assemble_orders(purchases: pd.DataFrame, people: People) -> pd.DataFrame:
    """Put all orders together, in order of time.

    Returns
    -------
    pandas.DataFrame
        One row per order; amounts in cents of the order's currency, moments in
        seconds since the first day.
    """
    parts = purchase_orders(purchases, people)
    parts += side_orders(purchases, people) + strangers_orders(purchases)
    orders = pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
    gen, size = stream("order details"), len(orders)
    known = orders.person.to_numpy() >= 0
    place = np.where(known, people.place[orders.person], draw_places(gen, size))
    favourite = pick(gen, CATEGORY_WEIGHTS, size)
    second = np.where(orders.second < 0, opening_hours(gen, size), orders.second)
    orders["currency"] = [CURRENCIES.get(PLACES[i][0], "EUR") for i in place]
    orders.loc[orders.person < -1, "currency"] = "EUR"
    orders["favourite"] = np.where(known, people.favourite[orders.person], favourite)
    orders["ordered"] = orders.day * SECONDS_PER_DAY + second
    return date_orders(price_orders(orders), gen)


def price_orders(orders: pd.DataFrame) -> pd.DataFrame:
    """Convert what was drawn in EUR to the order's currency, to the cent."""
    rates, months = load_rates(), month_numbers(orders.day.to_numpy())
    keys = zip(orders.currency, months.tolist(), strict=True)
    rate = np.array([rates[key] for key in keys])
    net = np.rint(orders.net / rate).astype(int)
    refund = np.rint(orders.refund / rate).astype(int)
    return orders.assign(rate=rate, net=net, refund=refund, amount=net + refund)


def date_orders(orders: pd.DataFrame, gen: np.random.Generator) -> pd.DataFrame:
    """Sort orders by time, number them, and add what happened to them later."""
    orders = orders.sort_values(["ordered", "person"], kind="stable")
    orders = orders.reset_index(drop=True)
    size = len(orders)
    shipped = orders.ordered + gen.integers(3_600, 4 * SECONDS_PER_DAY, size)
    returned = orders.ordered + gen.integers(3, 30, size) * SECONDS_PER_DAY
    touched = orders.ordered + gen.integers(30, 3_600, size)
    pending = orders.kind == "pending"
    orders["updated"] = np.where(orders.refund > 0, returned, shipped)
    orders["updated"] = np.where(pending, touched, orders.updated)
    orders["updated"] = np.minimum(orders.updated, LAST_UPDATE)
    discounted = (gen.random(size) < DISCOUNT_SHARE) & (orders.amount > 0)
    discount = np.rint(orders.amount * gen.choice([0.05, 0.1, 0.2], size))
    orders["discount"] = np.where(discounted, discount, 0).astype(int)
    orders["sales_channel"] = pick(gen, {"web": 0.6, "app": 0.28, "store": 0.12}, size)
    orders["has_cost"] = gen.random(size) >= MISSING_COST_SHARE
    orders["order_id"] = [f"O{number:05d}" for number in range(1, size + 1)]
    return orders


# --------------------------------------------------------------------------------------
# Products and order lines
# --------------------------------------------------------------------------------------


def build_products() -> pd.DataFrame:
    """List the products; `list` and `cost` are in cents."""
    rows = [
        (name, category, round(price * 100), round(price * COST_SHARES[category] * 100))
        for category, name, price in PRODUCTS
    ]
    products = pd.DataFrame(rows, columns=["name", "category", "list", "cost"])
    numbers = range(1, len(products) + 1)
    products.insert(0, "product_id", [f"P{number:02d}" for number in numbers])
    return products


class Basket:
    """Draws order lines whose prices add up to the order's amount to the cent."""

    def __init__(self, products: pd.DataFrame, gen: np.random.Generator) -> None:
        self.gen = gen
        self.log_list = np.log(products["list"].to_numpy() / 100)
        self.category = products.category.to_numpy()
        share = products.category.map(CATEGORY_WEIGHTS)
        self.weight = share / products.groupby("category")["name"].transform("size")
        self.weight = self.weight.to_numpy()
        self.boost = {
            name: np.where(self.category == name, AFFINITY_BOOST, 1.0)
            for name in COST_SHARES
        }

    def parts(self, cents: int, euros: float) -> list[int]:
        """Split an amount into one to four parts, the largest first."""
        lines = 1 + int(np.searchsorted((0.42, 0.78, 0.93), self.gen.random()))
        lines = max(min(lines, int(euros // 4)), min(4, math.ceil(euros / 120)), 1)
        shares = self.gen.dirichlet(np.full(lines, 4.0))
        return sorted(share_out(cents, shares).tolist(), reverse=True)

    def quantity(self, euros: float) -> int:
        """Draw how many pieces a part of an order pays for."""
        if euros < 15:
            return 1
        return 1 + int(np.searchsorted((0.75, 0.95), self.gen.random()))

    def product(self, euros: float, towards: str | None) -> int:
        """Draw a product whose list price is near the price paid."""
        distance = ((math.log(euros) - self.log_list) / PRICE_SPREAD) ** 2
        weight = self.weight * np.exp(-0.5 * (distance - distance.min()))
        if towards:
            weight = weight * self.boost[towards]
        total = np.cumsum(weight)
        return int(np.searchsorted(total, self.gen.random() * total[-1]))

    def lines(
        self, amount: int, rate: float, favourite: str
    ) -> list[tuple[int, int, int]]:
        """Return (product, quantity, price in cents) of each line of an order."""
        towards = favourite if self.gen.random() < FAVOURITE_PROBABILITY else None
        if amount <= 0:
            euros = max(-amount * rate / 100, 5.0)
            sign = -1 if amount < 0 else 1
            return [(self.product(euros, towards), sign, -amount if amount else 0)]
        lines, left = [], amount
        parts = self.parts(amount, amount * rate / 100)
        for part in parts[:-1]:
            count = self.quantity(part * rate / 100)
            price = part // count
            product = self.product(price * rate / 100, towards)
            lines.append((product, count, price))
            left -= count * price
            towards = self.companion(lines[0][0])
        lines.append((self.product(left * rate / 100, towards), 1, left))
        return lines

    def companion(self, first: int) -> str | None:
        """Draw whether the next line is drawn to the first line's companion."""
        if self.gen.random() < COMPANION_PROBABILITY:
            return COMPANIONS[self.category[first]]
        return None


def build_lines(orders: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Draw the lines of all orders, with prices and costs in the order's currency."""
    gen = stream("order lines")
    basket = Basket(products, gen)
    costs = products.cost.to_numpy()
    rows = []
    for order_id, amount, rate, favourite in zip(
        orders.order_id, orders.amount, orders.rate, orders.favourite, strict=True
    ):
        drawn = basket.lines(int(amount), rate, favourite)
        for number, (product, quantity, price) in enumerate(drawn, start=1):
            cost = round(costs[product] / rate)
            rows.append((order_id, number, product, quantity, price, cost))
    columns = ["order_id", "line_number", "product", "quantity", "price", "cost"]
    lines = pd.DataFrame(rows, columns=columns)
    lines["has_cost"] = gen.random(len(lines)) >= MISSING_LINE_COST_SHARE
    return lines


def orders_table(
    orders: pd.DataFrame, lines: pd.DataFrame, people: People
) -> pd.DataFrame:
    """Write the orders."""
    cost = (lines.quantity * lines.cost).groupby(lines.order_id).sum()
    costs = money(cost.reindex(orders.order_id))
    names = {-1: ""} | {-2 - i: name for i, name in enumerate(UNKNOWN_CUSTOMERS)}
    customers = [
        people.customer_id[person] if person >= 0 else names[person]
        for person in orders.person
    ]
    return pd.DataFrame(
        {
            "order_id": orders.order_id,
            "customer_id": customers,
            "ordered_at": timestamps(orders.ordered),
            "amount": money(orders.amount),
            "status": orders.status,
            "discount_amount": money(orders.discount),
            "refund_amount": money(orders.refund),
            "cost_amount": np.where(orders.has_cost, costs, ""),
            "currency": orders.currency,
            "sales_channel": orders.sales_channel,
            "updated_at": timestamps(orders.updated),
        }
    )


def order_items_table(lines: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """Write the order lines."""
    return pd.DataFrame(
        {
            "order_id": lines.order_id,
            "line_number": lines.line_number.astype(str),
            "product_id": products.product_id.to_numpy()[lines["product"]],
            "quantity": lines.quantity.astype(str),
            "unit_price": money(lines.price),
            "unit_cost": np.where(lines.has_cost, money(lines.cost), ""),
        }
    )


def products_table(products: pd.DataFrame) -> pd.DataFrame:
    """Write the products."""
    return pd.DataFrame(
        {
            "product_id": products.product_id,
            "product_name": products.name,
            "category": products.category,
            "unit_cost": money(products.cost),
        }
    )


# --------------------------------------------------------------------------------------
# Customers table
# --------------------------------------------------------------------------------------


def sign_up(people: People, orders: pd.DataFrame) -> np.ndarray:
    """Return when each person signed up, in seconds; ids follow in that order.

    A little more than half sign up with the first order, the others up to 30 days
    before it.
    """
    gen, size = stream("sign-up"), len(people.channel)
    known = orders[orders.person >= 0]
    first = people.first_day * SECONDS_PER_DAY + opening_hours(gen, size)
    ordered = known.groupby("person").ordered.min()
    first[ordered.index] = ordered
    at_once = gen.integers(60, 1_800, size)
    before = (gen.random(size) * 29.5 * SECONDS_PER_DAY).astype(int) + 1_800
    buyer = np.arange(size) < size - NEVER_ORDERED
    lead = np.where(gen.random(size) < 0.55, at_once, before)
    return np.where(buyer, first - lead, first)


def number_customers(created: np.ndarray) -> np.ndarray:
    """Give out customer ids in order of signing up."""
    rank = np.empty(len(created), dtype=int)
    rank[np.argsort(created, kind="stable")] = np.arange(1, len(created) + 1)
    return np.array([f"C{number:04d}" for number in rank])


def draw_campaigns(gen: np.random.Generator, channel: Iterable[int]) -> list[str]:
    """Draw a campaign of each channel given by number; organic has none."""
    campaigns = []
    for number in channel:
        options = list(CHANNELS[number].campaigns) or [""]
        edges = np.cumsum(list(CHANNELS[number].campaigns.values()))[:-1]
        campaigns.append(options[int(np.searchsorted(edges, gen.random()))])
    return campaigns


def customers_table(people: People, created: np.ndarray) -> pd.DataFrame:
    """Write the customers; what is said of them is independent of what they buy.

    Only the first interest is more: it is the category a customer is drawn to.
    """
    gen, size = stream("customers"), len(created)
    first = gen.choice(FIRST_NAMES, size)
    last = gen.choice(LAST_NAMES, size)
    domain = gen.choice(["example.com", "example.org"], size)
    mail = [
        f"{a}.{b}.{i}@{c}".lower()
        for a, b, i, c in zip(first, last, people.customer_id, domain, strict=True)
    ]
    country = [PLACES[i][0] for i in people.place]
    digits = gen.integers(0, 100, size)
    phone = [
        PHONES.get(code, "").format(number)
        for code, number in zip(country, digits, strict=True)
    ]
    born = -gen.integers(18 * 365, 75 * 365, size)
    second = pick(gen, CATEGORY_WEIGHTS, size)
    interests = [
        a if a == b else f"{a};{b}"
        for a, b in zip(people.favourite, second, strict=True)
    ]
    table = pd.DataFrame(
        {
            "customer_id": people.customer_id,
            "created_at": timestamps(created),
            "name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
            "email": mail,
            "phone": np.where(gen.random(size) < 0.7, phone, ""),
            "country": country,
            "region": [PLACES[i][1] for i in people.place],
            "city": [PLACES[i][2] for i in people.place],
            "birth_date": np.where(gen.random(size) < 0.8, iso_dates(born), ""),
            **{name: pick(gen, shares, size) for name, shares in TRAITS.items()},
            "interests": interests,
            "acquisition_channel": [CHANNELS[i].name for i in people.channel],
            "acquisition_campaign": draw_campaigns(gen, people.channel),
            "has_marketing_consent": pick(
                gen, {"true": 0.6, "false": 0.35, "": 0.05}, size
            ),
        }
    )
    return table.sort_values("customer_id", ignore_index=True)


# --------------------------------------------------------------------------------------
# Marketing: spend and touchpoints
# --------------------------------------------------------------------------------------


def marketing_spend_table() -> pd.DataFrame:
    """Write four rows a month (the 1st, 8th, 15th, 22nd) per channel and campaign.

    A channel's total is its CAC times its customers, to the cent; the months follow
    the shop's season, not the customers who happened to come.
    """
    gen = stream("marketing spend")
    parts = []
    for channel in CHANNELS:
        if channel.cac is None:
            continue
        weights = [
            (month, week, campaign, weight * share)
            for month, weight in enumerate(acquisition_weights())
            for week in range(4)
            for campaign, share in channel.campaigns.items()
        ]
        total = round(channel.cac * channel.customers * 100)
        parts.append(spread_spend(channel.name, weights, total, gen))
    brand = [
        (month_number(month), week, "", 1.0)
        for month in BRAND_MONTHS
        for week in range(4)
    ]
    parts.append(spread_spend(BRAND_CHANNEL, brand, round(BRAND_SPEND * 100), gen))
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["spend_date", "channel", "campaign"], ignore_index=True)


def spread_spend(
    channel: str,
    weights: list[tuple[int, int, str, float]],
    total: int,
    gen: np.random.Generator,
) -> pd.DataFrame:
    """Spread a channel's total cents over (month, week, campaign) by weight."""
    noise = gen.lognormal(0.0, 0.2, len(weights))
    cents = share_out(total, np.array([row[3] for row in weights]) * noise)
    starts = month_start_days()
    clicks = np.rint(cents / 100 / 0.45 * gen.lognormal(0, 0.1, len(cents)))
    views = np.rint(cents / 100 / 8.0 * 1_000 * gen.lognormal(0, 0.1, len(cents)))
    tracked = channel != BRAND_CHANNEL
    return pd.DataFrame(
        {
            "spend_date": iso_dates(starts[row[0]] + 7 * row[1] for row in weights),
            "channel": channel,
            "campaign": [row[2] for row in weights],
            "amount": money(cents),
            "impressions": [str(int(view)) for view in views],
            "clicks": [str(int(click)) if tracked else "" for click in clicks],
        }
    )


def draw_touch_channels(
    gen: np.random.Generator, own: np.ndarray, is_last: np.ndarray
) -> np.ndarray:
    """Draw the channel of each touch: the last one mostly the customer's own."""
    sizes = np.array([channel.customers for channel in CHANNELS])
    other = gen.choice(len(CHANNELS), len(own), p=sizes / sizes.sum())
    other = np.where(is_last & (other == own), (own + 1) % len(CHANNELS), other)
    chance = np.where(is_last, LAST_TOUCH_IN_CHANNEL, 0.3)
    return np.where(gen.random(len(own)) < chance, own, other)


def first_touches(people: People, first: np.ndarray) -> pd.DataFrame:
    """Draw one to five touches before each first order (or signing up)."""
    gen, size = stream("first touches"), len(first)
    count = 1 + np.searchsorted((0.35, 0.65, 0.83, 0.94), gen.random(size))
    person = np.repeat(np.arange(size), count)
    is_last = np.append(person[1:] != person[:-1], True)
    days_before = np.where(
        is_last, 2 * gen.random(len(person)), 2 + 28 * gen.random(len(person))
    )
    before = 120 + (days_before * SECONDS_PER_DAY).astype(int)
    channel = draw_touch_channels(gen, people.channel[person], is_last)
    return pd.DataFrame(
        {"person": person, "touched": first[person] - before, "channel": channel}
    )


def later_touches(orders: pd.DataFrame) -> pd.DataFrame:
    """Draw touches up to three days before a tenth of the given orders."""
    gen = stream("later touches")
    touched = orders[gen.random(len(orders)) < 0.10]
    pause = gen.integers(120, 3 * SECONDS_PER_DAY, len(touched))
    names = [channel.name for channel in CHANNELS]
    options = [names.index("email"), names.index("paid_search")]
    return pd.DataFrame(
        {
            "person": touched.person,
            "touched": touched.ordered - pause,
            "channel": gen.choice(options, len(touched), p=[0.7, 0.3]),
        }
    )


def touchpoints_table(people: People, orders: pd.DataFrame) -> pd.DataFrame:
    """Write the paths to the first order, and some touches before later orders.

    Those who never ordered have a path too, which leads nowhere.
    """
    gen = stream("touchpoints")
    known = orders[(orders.person >= 0) & (orders.net > 0)]
    first = people.first_day * SECONDS_PER_DAY + 12 * 3_600
    ordered = known.groupby("person").ordered.min()
    first[ordered.index] = ordered
    later = known[known.ordered > first[known.person]]
    frame = pd.concat([first_touches(people, first), later_touches(later)])
    frame = frame.sort_values(["touched", "person"], ignore_index=True)
    return pd.DataFrame(
        {
            "touchpoint_id": [f"T{number:05d}" for number in range(1, len(frame) + 1)],
            "customer_id": people.customer_id[frame.person],
            "touched_at": timestamps(frame.touched),
            "channel": [CHANNELS[i].name for i in frame.channel],
            "campaign": draw_campaigns(gen, frame.channel),
            "touch_type": pick(gen, {"click": 0.8, "view": 0.2}, len(frame)),
        }
    )


# --------------------------------------------------------------------------------------
# Events and surveys
# --------------------------------------------------------------------------------------


def events_table(people: People, orders: pd.DataFrame) -> pd.DataFrame:
    """Write visits before a third of the online orders, and visits of the living.

    A customer who has left does not come to look any more, so that visits tell who
    is alive better than purchases alone do.
    """
    gen = stream("events")
    online = orders[(orders.person >= 0) & (orders.sales_channel != "store")]
    seen = online[gen.random(len(online)) < 0.33]
    visit = np.where(seen.sales_channel == "app", "app_open", "visit")
    carts = seen[gen.random(len(seen)) < 0.5]
    alive = np.maximum(people.alive_until - people.first_day, 0)
    visits = gen.poisson(BROWSE_VISITS_PER_WEEK * alive / 7)
    person = np.repeat(np.arange(len(visits)), visits)
    day = people.first_day[person] + (gen.random(len(person)) * alive[person])
    moment = day.astype(int) * SECONDS_PER_DAY + opening_hours(gen, len(person))
    frame = pd.DataFrame(
        {
            "person": np.concatenate([seen.person, carts.person, person]),
            "moment": np.concatenate(
                [
                    seen.ordered - gen.integers(300, 3_600, len(seen)),
                    carts.ordered - gen.integers(30, 300, len(carts)),
                    moment,
                ]
            ),
            "event_type": np.concatenate(
                [
                    visit,
                    np.full(len(carts), "add_to_cart"),
                    pick(gen, {"visit": 0.7, "app_open": 0.3}, len(person)),
                ]
            ),
        }
    )
    frame = frame[frame.moment < DAYS * SECONDS_PER_DAY].drop_duplicates()
    frame = frame.sort_values(["moment", "person", "event_type"], ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[frame.person],
            "occurred_at": timestamps(frame.moment),
            "event_type": frame.event_type,
        }
    )


def surveys_table(people: People, purchases: pd.DataFrame) -> pd.DataFrame:
    """Write answers some days after a purchase; the channel and loyalty decide."""
    gen = stream("surveys")
    count = purchases.groupby("person").cumcount().to_numpy() + 1
    asked = gen.random(len(purchases)) < SURVEY_PROBABILITY
    person = purchases.person.to_numpy()[asked]
    channel = people.channel[person]
    loyal = count[asked] >= LOYAL_PURCHASES
    promoters = np.array([c.promoters for c in CHANNELS])[channel]
    detractors = np.array([c.detractors for c in CHANNELS])[channel]
    promoters = promoters + loyal * LOYAL_PROMOTERS
    detractors = detractors + loyal * LOYAL_DETRACTORS
    mood = gen.random(len(person))
    score = np.select(
        [mood < promoters, mood >= 1 - detractors],
        [gen.integers(9, 11, len(person)), gen.integers(0, 7, len(person))],
        gen.integers(7, 9, len(person)),
    )
    day = purchases.day.to_numpy()[asked] + gen.integers(1, 11, len(person))
    moment = day * SECONDS_PER_DAY + opening_hours(gen, len(person))
    frame = pd.DataFrame({"person": person, "moment": moment, "score": score})
    frame = frame[day < DAYS].drop_duplicates(["person", "moment"])
    frame = frame.sort_values(["moment", "person"], ignore_index=True)
    return pd.DataFrame(
        {
            "customer_id": people.customer_id[frame.person],
            "responded_at": timestamps(frame.moment),
            "score": frame.score.astype(str),
        }
    )


# --------------------------------------------------------------------------------------
# Subscriptions
# --------------------------------------------------------------------------------------


# (first day, last day or None while it runs, cents a month)
Contract = tuple[date, date | None, int]


def add_months(day: date, months: int) -> date:
    """Return the same day of a later month; the day must be the 28th at the latest."""
    years, month = divmod(day.month - 1 + months, 12)
    return day.replace(year=day.year + years, month=month + 1)


def early_in_month(day: date) -> date:
    """Return the day, or the 28th if the month is further on."""
    return day.replace(day=min(day.day, 28))


def draw_length(gen: np.random.Generator, start: date) -> tuple[int, date | None]:
    """Draw how long a relationship lasts.

    Returns
    -------
    observed
        Whole months until its end or the end of the data.
    end
        The day it ended, None while it runs.
    """
    length = int(min(gen.geometric(gen.beta(CONTRACT_ALPHA, CONTRACT_BETA)), 1_000))
    observed = 0
    while observed < length and add_months(start, observed + 1) <= LAST_DAY.item():
        observed += 1
    return observed, add_months(start, length) if observed == length else None


def draw_relationship(gen: np.random.Generator, start: date) -> list[Contract]:
    """Draw one relationship: a contract, or two if the plan changed in it."""
    observed, end = draw_length(gen, start)
    plan = int(gen.integers(0, len(PLANS)))
    other = plan + (1 if gen.random() < UPGRADE_SHARE else -1)
    changes = gen.random() < PLAN_CHANGE_PROBABILITY and 0 <= other < len(PLANS)
    last_change = observed if end is None else observed - 1
    if not changes or last_change < 1:
        return [(start, end, PLANS[plan])]
    middle = add_months(start, int(gen.integers(1, last_change + 1)))
    return [(start, middle, PLANS[plan]), (middle, end, PLANS[other])]


def draw_contracts(
    purchases: pd.DataFrame,
) -> tuple[list[tuple[int, Contract]], dict[str, int]]:
    """Draw all contracts by person; count relationships, plan changes, win-backs."""
    gen = stream("subscriptions")
    first = purchases.groupby("person").day.min()
    first = first[first < DAYS - 90]
    chosen = gen.choice(first.index.to_numpy(), SUBSCRIBERS, replace=False)
    rows: list[tuple[int, Contract]] = []
    counts = Counter(subscribers=SUBSCRIBERS)
    for person in chosen.tolist():
        day = min(int(first[person] + gen.exponential(60.0)), DAYS - 32)
        start: date | None = early_in_month(FIRST_DAY.item() + timedelta(day))
        while start is not None:
            contracts = draw_relationship(gen, start)
            rows += [(person, contract) for contract in contracts]
            counts["relationships"] += 1
            for (_, _, before), (_, _, after) in pairwise(contracts):
                counts["upgrades" if after > before else "downgrades"] += 1
            start = draw_return(gen, contracts[-1][1])
            counts["winbacks"] += start is not None
    return rows, dict(counts)


def draw_return(gen: np.random.Generator, end: date | None) -> date | None:
    """Draw whether and when someone whose subscription ended comes back."""
    if end is None or gen.random() >= WINBACK_PROBABILITY:
        return None
    start = early_in_month(end + timedelta(int(gen.integers(60, 200))))
    return start if start < LAST_DAY.item() - timedelta(31) else None


def subscriptions_table(
    people: People, purchases: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Write the contracts; a running one has no end."""
    rows, counts = draw_contracts(purchases)
    gen = stream("subscription terms")
    frame = pd.DataFrame(
        {
            "customer_id": [people.customer_id[person] for person, _ in rows],
            "started_at": [str(start) for _, (start, _, _) in rows],
            "ended_at": ["" if end is None else str(end) for _, (_, end, _) in rows],
            "monthly_amount": money(cents for _, (_, _, cents) in rows),
            "plan": [PLAN_NAMES[PLANS.index(cents)] for _, (_, _, cents) in rows],
            # how long a contract binds and how it is paid moves nobody
            "term_months": gen.choice(["1", "12"], len(rows), p=[0.7, 0.3]),
            "payment_method": gen.choice(
                ["card", "direct debit", ""], len(rows), p=[0.5, 0.45, 0.05]
            ),
        }
    ).sort_values(["started_at", "customer_id"], ignore_index=True)
    ids = [f"S{number:04d}" for number in range(1, len(frame) + 1)]
    frame.insert(0, "subscription_id", ids)
    counts["contracts"] = len(frame)
    counts["running_at_the_end"] = int((frame.ended_at == "").sum())
    return frame, counts


# --------------------------------------------------------------------------------------
# Dirty rows
# --------------------------------------------------------------------------------------

MISSING = "missing"
BAD_DATE = "unparseable_date"
BAD_NUMBER = "unparseable_number"
BAD_BOOLEAN = "unparseable_boolean"
NOT_FINITE = "not_finite"
OUT_OF_RANGE = "out_of_range"
TOO_OLD = "before_1990"
IN_FUTURE = "in_future"
NO_RATE = "no_exchange_rate"
ENDS_FIRST = "before_started_at"


@dataclass(frozen=True)
class Dirt:
    """One dirty row: a copy of a good row with some cells changed.

    `spoilt` gives bad values and the reason for which each rejects the row; a row
    without any is a duplicate. `changes` are harmless; they may name cells of the
    good row in braces. `keep_key` leaves the good row's key.
    """

    spoilt: dict[str, tuple[str, str]] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)
    keep_key: bool = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why the row is rejected, as `column: reason`."""
        return tuple(f"{column}: {code}" for column, (_, code) in self.spoilt.items())


def rejected(column: str, code: str, *values: str) -> list[Dirt]:
    """List one dirty row per bad value of a column."""
    return [Dirt({column: (value, code)}) for value in values]


def bad_cells(
    required: str, moment: str = "", dates: str = "", numbers: str = "", whole: str = ""
) -> list[Dirt]:
    """List what can be wrong with an input's cells; column names by blanks.

    A moment is a date that must lie in the time of the shop, other dates need not.
    """
    rows = []
    for column in required.split():
        rows += rejected(column, MISSING, "")
    for column in f"{moment} {dates}".split():
        rows += rejected(column, BAD_DATE, "31/02/2024", "soon")
    if moment:
        rows += rejected(moment, TOO_OLD, "1970-01-01", "1989-12-31")
        rows += rejected(moment, IN_FUTURE, "2099-01-01", "2099-12-31")
    for column in numbers.split():
        rows += rejected(column, BAD_NUMBER, "12,50", "abc")
        rows += rejected(column, NOT_FINITE, "NaN", "inf")
        rows += rejected(column, OUT_OF_RANGE, "1e308")
    for column in whole.split():
        rows += rejected(column, BAD_NUMBER, "one", "1.5", "NaN")
    return rows


def duplicates(exact: int, different: int = 0, **changes: str) -> list[Dirt]:
    """List exact copies, and rows of the same key with different content."""
    copies = [Dirt(keep_key=True) for _ in range(exact)]
    return copies + [Dirt({}, changes, keep_key=True) for _ in range(different)]


DIRT: dict[str, list[Dirt]] = {
    "orders": [
        *bad_cells(
            required="order_id ordered_at amount",
            moment="ordered_at",
            dates="updated_at",
            numbers="amount discount_amount refund_amount cost_amount",
        ),
        *rejected("currency", NO_RATE, "XXX", "XXX"),
        Dirt({"ordered_at": ("soon", BAD_DATE), "amount": ("abc", BAD_NUMBER)}),
        Dirt({"order_id": ("", MISSING), "currency": ("XXX", NO_RATE)}),
        *duplicates(4),
        # An older version: it must not win.
        *duplicates(
            0, 5, amount="1{amount}", status="pending", updated_at="{ordered_at}"
        ),
        # A newer version, but rejected: it must not win either.
        Dirt(
            {"amount": ("abc", BAD_NUMBER)},
            {"updated_at": "2026-01-02 18:00:00"},
            keep_key=True,
        ),
    ],
    "customers": [
        *bad_cells(
            required="customer_id",
            moment="created_at",
            dates="birth_date",
        ),
        *rejected("has_marketing_consent", BAD_BOOLEAN, "perhaps"),
        Dirt({"customer_id": ("", MISSING), "created_at": ("soon", BAD_DATE)}),
        Dirt({"created_at": ("soon", BAD_DATE)}, keep_key=True),
        *duplicates(3, 3, phone="+49 30 23125 999"),
    ],
    "order_items": [
        *bad_cells(
            required="order_id line_number product_id quantity unit_price",
            numbers="quantity unit_price unit_cost",
            whole="line_number",
        ),
        Dirt({"line_number": ("", MISSING), "quantity": ("abc", BAD_NUMBER)}),
        *duplicates(4, 3, unit_cost=""),
    ],
    "products": [
        *bad_cells(required="product_id", numbers="unit_cost"),
        Dirt({"product_id": ("", MISSING), "unit_cost": ("abc", BAD_NUMBER)}),
        *duplicates(1, 1, product_name="{product_name} (old label)"),
    ],
    "marketing_spend": [
        *bad_cells(
            required="spend_date channel amount", moment="spend_date", numbers="amount"
        ),
        *rejected("impressions", BAD_NUMBER, "many"),
        *rejected("clicks", NOT_FINITE, "inf"),
        Dirt({"channel": ("", MISSING), "amount": ("abc", BAD_NUMBER)}),
        *duplicates(2, 2, clicks="0"),
    ],
    "touchpoints": [
        *bad_cells(
            required="touchpoint_id customer_id touched_at channel", moment="touched_at"
        ),
        Dirt({"touchpoint_id": ("", MISSING), "touched_at": ("soon", BAD_DATE)}),
        *duplicates(3, 3, touch_type="impression"),
    ],
    "events": [
        *bad_cells(required="customer_id occurred_at event_type", moment="occurred_at"),
        Dirt({"event_type": ("", MISSING), "occurred_at": ("soon", BAD_DATE)}),
        *duplicates(5),
    ],
    "surveys": [
        *bad_cells(
            required="customer_id responded_at score",
            moment="responded_at",
            whole="score",
        ),
        *rejected("score", OUT_OF_RANGE, "11", "-1"),
        Dirt({"customer_id": ("", MISSING), "score": ("11", OUT_OF_RANGE)}),
        *duplicates(2, 2, score="10"),
    ],
    "subscriptions": [
        *bad_cells(
            required="subscription_id customer_id started_at monthly_amount",
            moment="started_at",
            dates="ended_at",
            numbers="monthly_amount",
        ),
        *rejected("ended_at", ENDS_FIRST, "2022-01-31", "2022-12-31"),
        Dirt(
            {
                "ended_at": ("2022-06-30", ENDS_FIRST),
                "monthly_amount": ("inf", NOT_FINITE),
            }
        ),
        *duplicates(2, 2, started_at="{started_at} 08:00:00"),
    ],
    "experiments": [
        *bad_cells(
            required="experiment_id customer_id arm assigned_at",
            moment="assigned_at",
            numbers="cost_amount",
        ),
        Dirt({"experiment_id": ("", MISSING), "assigned_at": ("soon", BAD_DATE)}),
        *duplicates(2, 2, assigned_at=f"{WINBACK_DAY} 23:05:00"),
    ],
}

KEYS = {
    "orders": ("order_id",),
    "customers": ("customer_id",),
    "order_items": ("order_id", "line_number"),
    "products": ("product_id",),
    "marketing_spend": ("spend_date", "channel", "campaign"),
    "touchpoints": ("touchpoint_id",),
    "events": ("customer_id", "occurred_at", "event_type"),
    "surveys": ("customer_id", "responded_at"),
    "subscriptions": ("subscription_id",),
    "experiments": ("experiment_id", "customer_id"),
}
# A key that no good row has, for the rows that are rejected.
FRESH_KEYS = {
    "orders": ("order_id", "O9{:04d}"),
    "customers": ("customer_id", "C98{:02d}"),
    "order_items": ("line_number", "9{:02d}"),
    "products": ("product_id", "P9{:02d}"),
    "marketing_spend": ("campaign", "import_{:02d}"),
    "touchpoints": ("touchpoint_id", "T9{:04d}"),
    "events": ("occurred_at", "2024-06-30 23:59:{:02d}"),
    "surveys": ("responded_at", "2024-06-30 23:59:{:02d}"),
    "subscriptions": ("subscription_id", "S9{:03d}"),
    "experiments": ("customer_id", "C98{:02d}"),
}


def templates(name: str, table: pd.DataFrame) -> np.ndarray:
    """Return the rows a dirty row may copy: plain ones, whose copies do no harm."""
    plain = np.ones(len(table), dtype=bool)
    if name == "orders":
        plain &= (table.currency == "EUR") & (table.status == "completed")
        plain &= (table.customer_id < "C9") & (table.customer_id > "")
        plain &= (table.refund_amount == "0.00") & (table.amount.str.len() == 5)
        plain &= table.updated_at < "2025-12-31"
    elif name == "order_items":
        plain &= (table.unit_cost != "") & (table.quantity == "1")
    elif name == "marketing_spend":
        plain &= ~table.clicks.isin(("", "0"))
    elif name == "surveys":
        plain &= table.score == "9"
    elif name == "subscriptions":
        plain &= table.ended_at == ""
    elif name == "customers":
        plain &= table.country == "DE"
    elif name == "experiments":
        plain &= table.assigned_at.str.startswith(str(WINBACK_DAY))
    return np.flatnonzero(plain)


def add_dirt(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Add an input's dirty rows beside the rows they resemble.

    Returns
    -------
    pandas.DataFrame
        The rows in file order, with two columns more: `fate` (accepted, quarantined
        or duplicate) and `reasons` (a tuple).
    """
    dirt, usable = DIRT[name], templates(name, table)
    spots = usable[np.linspace(0, len(usable) - 1, len(dirt) + 2).astype(int)[1:-1]]
    column, pattern = FRESH_KEYS[name]
    rows, places = [], []
    for number, (spot, item) in enumerate(zip(spots, dirt, strict=True)):
        row = table.iloc[spot].to_dict()
        changes = {key: text.format_map(row) for key, text in item.changes.items()}
        changes |= {key: value for key, (value, _) in item.spoilt.items()}
        if not item.keep_key:
            changes = {column: pattern.format(number)} | changes
        fate = "quarantined" if item.reasons else "duplicate"
        rows.append(row | changes | {"fate": fate, "reasons": item.reasons})
        # Two of three stand below the row they resemble, one above it.
        places.append(spot + (0.5 if number % 3 else -0.5))
    clean = table.assign(fate="accepted", reasons=[()] * len(table))
    both = pd.concat([clean, pd.DataFrame(rows)], ignore_index=True)
    place = np.concatenate([np.arange(len(table)), places])
    return both.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


# --------------------------------------------------------------------------------------
# Accounting
# --------------------------------------------------------------------------------------

MONEY = {
    "orders": ("amount",),
    "order_items": ("quantity", "unit_price"),
    "marketing_spend": ("amount",),
    "subscriptions": ("monthly_amount",),
    "experiments": ("cost_amount",),
}
LARGEST_AMOUNT = Decimal("1e10")


def parse_money(text: str) -> Decimal | None:
    """Read a number; None if it is none, not finite or out of range."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value) < LARGEST_AMOUNT else None


def row_money(row: dict[str, str], columns: tuple[str, ...]) -> Decimal:
    """Multiply a row's columns; 0 where one of them cannot be read."""
    values = [parse_money(row[column]) for column in columns]
    return Decimal(0) if None in values else math.prod(values, start=Decimal(1))


def account(name: str, table: pd.DataFrame) -> dict[str, object]:
    """Count an input's rows and money by what becomes of them."""
    fates = Counter(table.fate)
    reasons = Counter(reason for row in table.reasons for reason in row)
    content = table.drop(columns=["fate", "reasons"])
    copied = content.duplicated(keep=False) & (table.fate == "duplicate")
    exact = int(copied.sum())
    result: dict[str, object] = {
        "key": list(KEYS[name]),
        "raw_rows": len(table),
        "accepted_rows": fates["accepted"],
        "quarantined_rows": fates["quarantined"],
        "duplicate_rows": fates["duplicate"],
        "duplicates": {"exact": exact, "different": fates["duplicate"] - exact},
        "reasons": dict(sorted(reasons.items())),
    }
    if name in MONEY:
        sums = {fate: Decimal(0) for fate in ("accepted", "quarantined", "duplicate")}
        for row in table.to_dict("records"):
            sums[row["fate"]] += row_money(row, MONEY[name])
        result["money"] = {
            "of": " x ".join(MONEY[name]),
            **{fate: float(total) for fate, total in sums.items()},
            "total": float(sum(sums.values())),
        }
    return result


# --------------------------------------------------------------------------------------
# Ground truth on paper
# --------------------------------------------------------------------------------------


def season_index() -> list[float]:
    """Return the purchase intensity of each calendar month, 1 on average."""
    clock, starts = season_clock(), month_start_days()[:13]
    return (np.diff(clock[starts]) / np.diff(starts)).round(4).tolist()


def channel_truth(
    people: People, purchases: pd.DataFrame
) -> dict[str, dict[str, object]]:
    """Describe the channels: what was put in, and how it turned out."""
    buyers = len(people.channel) - NEVER_ORDERED
    counts = purchases.groupby("person").size()
    truth = {}
    for number, channel in enumerate(CHANNELS):
        own = counts[people.channel[:buyers] == number]
        spend = None if channel.cac is None else channel.cac * channel.customers
        truth[channel.name] = {
            "customers": channel.customers,
            "never_ordered": int((people.channel[buyers:] == number).sum()),
            "bgnbd": {
                "r": channel.r,
                "alpha_weeks": channel.alpha,
                "a": channel.a,
                "b": channel.b,
            },
            "cac": channel.cac,
            "marketing_spend": spend,
            "campaigns": channel.campaigns,
            "survey_promoters": channel.promoters,
            "survey_detractors": channel.detractors,
            "nps": round(100 * (channel.promoters - channel.detractors)),
            "realised": {
                "purchases": int(own.sum()),
                "purchases_per_customer": round(float(own.mean()), 4),
                "one_time_share": round(float((own == 1).mean()), 4),
            },
        }
    return truth


def parameter_truth() -> dict[str, object]:
    """Describe the parameters that hold for the whole shop."""
    return {
        "spend": {
            "model": "spend ~ Gamma(p, rate nu), nu ~ Gamma(q, rate v), in EUR",
            "p": SPEND_P,
            "q": SPEND_Q,
            "v": SPEND_V,
            "mean": SPEND_P * SPEND_V / (SPEND_Q - 1),
        },
        "seasonality": {
            "purchase_intensity": "1 + amplitude * cos(2 pi (u - peak)), u = share of "
            "the calendar year gone; its integral over a year is one year",
            "amplitude": SEASON_AMPLITUDE,
            "peak": SEASON_PEAK,
            "month_index": season_index(),
            "acquisition_month_weights": list(MONTH_WEIGHTS),
            "acquisition_year_weights": list(YEAR_WEIGHTS),
        },
        "brand_channel": {
            "channel": BRAND_CHANNEL,
            "marketing_spend": BRAND_SPEND,
            "months": list(BRAND_MONTHS),
            "customers": 0,
        },
        "spend_without_customers": {
            "channel": SILENT_CHANNEL,
            "month": SILENT_MONTH,
        },
        "products": {
            "margin_rate_at_list_price": {
                category: round(1 - share, 4) for category, share in COST_SHARES.items()
            },
            "category_weights": CATEGORY_WEIGHTS,
            "companions": COMPANIONS,
            "companion_probability": COMPANION_PROBABILITY,
            "favourite_probability": FAVOURITE_PROBABILITY,
            "affinity_boost": AFFINITY_BOOST,
        },
        "surveys": {
            "answer_probability_per_purchase": SURVEY_PROBABILITY,
            "loyal_from_purchase": LOYAL_PURCHASES,
            "loyal_promoters": LOYAL_PROMOTERS,
            "loyal_detractors": LOYAL_DETRACTORS,
        },
        "touchpoints": {"last_touch_in_acquisition_channel": LAST_TOUCH_IN_CHANNEL},
        "events": {"visits_per_week_while_alive": BROWSE_VISITS_PER_WEEK},
    }


def experiment_truth(outcome: dict[str, dict[str, int]]) -> dict[str, object]:
    """Describe both experiments."""
    return {
        "winback_email_2025": {
            "assigned": str(WINBACK_DAY),
            "eligible": f"ordered before, but not in the last "
            f"{WINBACK_INACTIVE_DAYS} days",
            "window_days": WINBACK_WINDOW,
            "uplift": WINBACK_UPLIFT,
            "cost_per_customer": WINBACK_COST,
            "realised": outcome,
        },
        "loyalty_push_2025": {
            "assigned": str(LOYALTY_DAY),
            "eligible": "two purchases or more before",
            "uplift": dict.fromkeys(LOYALTY_COST, 0.0),
            "cost_per_customer": LOYALTY_COST,
            "realised": {arm: {"customers": LOYALTY_ARM_SIZE} for arm in LOYALTY_COST},
        },
    }


def purchase_truth(orders: pd.DataFrame) -> dict[str, object]:
    """Count purchases: customer-days with positive net amount in completed orders."""
    revenue = orders[~orders.kind.isin(("cancelled", "pending"))]
    known = revenue[revenue.person != -1]
    net = known.groupby(["person", "day"]).net.sum()
    bought = net[net > 0].reset_index()
    counts = orders.groupby("kind").size().to_dict()
    return {
        "customer_days": len(bought),
        "customers": int(bought.person.nunique()),
        "one_time_customers": int((bought.groupby("person").size() == 1).sum()),
        "last_purchase_date": iso_dates([bought.day.max()])[0],
        "orders_by_kind": {kind: int(count) for kind, count in counts.items()},
        "orders_of_unknown_status": {
            UNKNOWN_STATUS: int((orders.status == UNKNOWN_STATUS).sum())
        },
        "unknown_customers": list(UNKNOWN_CUSTOMERS),
    }


# --------------------------------------------------------------------------------------
# The shop
# --------------------------------------------------------------------------------------


def build_shop() -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """Draw the whole shop.

    Returns
    -------
    tables
        The ten inputs in file order, dirty rows included, with `fate` and `reasons`.
    truth
        What `ground_truth.json` says.
    """
    people, process = draw_people()
    winback, extra, outcome = assign_winback(process)
    purchases = pd.concat([process, extra]).sort_values(
        ["person", "day"], ignore_index=True
    )
    orders = assemble_orders(purchases, people)
    products = build_products()
    lines = build_lines(orders, products)
    created = sign_up(people, orders)
    people.customer_id = number_customers(created)
    subscriptions, contracts = subscriptions_table(people, purchases)
    clean = {
        "orders": orders_table(orders, lines, people),
        "customers": customers_table(people, created),
        "order_items": order_items_table(lines, products),
        "products": products_table(products),
        "marketing_spend": marketing_spend_table(),
        "touchpoints": touchpoints_table(people, orders),
        "events": events_table(people, orders),
        "surveys": surveys_table(people, purchases),
        "subscriptions": subscriptions,
        "experiments": experiments_table(winback, assign_loyalty(process), people),
    }
    tables = {name: add_dirt(name, table) for name, table in clean.items()}
    truth = {
        "about": "What was put into the demo shop. Money in EUR unless said otherwise.",
        "seed": SEED,
        "first_day": str(FIRST_DAY),
        "last_day": str(LAST_DAY),
        "channels": channel_truth(people, purchases),
        **parameter_truth(),
        "subscriptions": {
            "model": "a relationship ends at each monthly renewal with probability "
            "theta ~ Beta(alpha, beta); contracts that follow one another on the same "
            "day are one relationship, one after a break is a new one",
            "alpha": CONTRACT_ALPHA,
            "beta": CONTRACT_BETA,
            "realised": contracts,
        },
        "experiments": experiment_truth(outcome),
        "purchases": purchase_truth(orders),
        "accounting": {name: account(name, table) for name, table in tables.items()},
    }
    return tables, truth


def markdown_table(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


REASONS_IN_WORDS = {
    MISSING: "a required cell is empty",
    BAD_DATE: "`31/02/2024` or `soon` stands where a date should",
    BAD_NUMBER: "`12,50` or `abc` stands where a number should, or `1.5` where a "
    "whole number should",
    BAD_BOOLEAN: "`perhaps` stands where true or false should",
    NOT_FINITE: "`NaN` or `inf`",
    OUT_OF_RANGE: "`1e308`, or a survey score outside 0-10",
    TOO_OLD: "1970 and 1989: the default dates of broken exports",
    IN_FUTURE: "2099: more than three years after everything else",
    NO_RATE: "currency `XXX` is not in `exchange_rates.csv`",
    ENDS_FIRST: "a subscription that ends before it starts",
}
README = """# The demo shop

A made-up shop for coffee and tea: {customers:,} customers and {orders:,} orders from
{first} to {last}, reporting currency EUR. Every name, address and number in it
is invented. It is drawn from the processes that the warehouse learns, so that what the
models find can be held against what was put in: `ground_truth.json` has all of it,
machine readable.

`python scripts/make_demo_shop.py` writes this folder, the same bytes on every run.

## Channels

Purchases follow BG/NBD from the first purchase on (alpha in weeks); how many purchases
customers made and how many made only one is how it turned out. CAC is the channel's
marketing spend over the three years, divided by its customers. NPS is that of customers
before their third purchase.

{channels}

- `{brand}` has spend ({brand_spend:,.0f} EUR, November and December) and no customers.
- `{silent}` has spend in {silent_month} and no new customer.
- {never} more customers never ordered.
- New customers come in November and December more than in other months. Purchases are
  up to {amplitude:.0%} above or below the average through the year (`seasonality` in
  `ground_truth.json`), while a year is as long as without seasons.

## The rest of the truth

- **Spend** per purchase day: Gamma-Gamma with p {p}, q {q}, v {v}, mean {mean:.0f} EUR,
  independent of how often someone buys. It is what stays after partial refunds.
- **Subscriptions** end at each monthly renewal with a probability of their own, drawn
  from Beta({alpha}, {beta}) (shifted-beta-geometric). A plan change on the same day
  goes on with the relationship, a return after a break is a new one.
- **Experiments**: `winback_email_2025` adds to the probability of buying within
  {window} days: {uplifts}.
  These purchases come on top of the process. `loyalty_push_2025` has no effect.
- **Surveys**: promoters and detractors by channel; from purchase {loyal} on
  {promoters:+.0%} promoters and {detractors:+.0%} detractors.
- **Touchpoints**: the last touch before the first order is in the acquisition channel
  for {touch:.0%} of the customers.
- **Events**: customers come to look {visits} times a week while they are alive in the
  sense of BG/NBD, and never after.
- **Margin** at list price: {margins}.
- Country, birth date, gender, income and lifestyle are independent of everything else.
  The first interest is the category that a customer is drawn to.

## What is in the files

- All money of an order and of its lines is in the order's currency. Product costs,
  marketing spend, subscriptions and experiments are in EUR.
- The lines of an order add up to its amount to the cent. Lines without a cost cost
  what the product costs; about a tenth of the orders do not say their own cost.
- Purchase days are what the process drew; {split:.0%} of them have two orders. All
  other orders are no purchases and come after a customer's first one: full refunds,
  amounts of zero, refunds as orders of their own (negative, with a line of quantity
  -1), cancelled and pending ones.
- Guests have no customer id. {unknown} customer ids are in no row of the customers;
  their orders are accepted.
- {teleported} orders have the status `{status}`, which no mapping knows.

## Dirty rows

They are copies of good rows with a cell or two spoilt and, if they are rejected, a key
of their own: take them away and the shop is as it was. Rows by what becomes of them:

{fates}

Reasons (a row may have two; `ground_truth.json` has them by column):

{dirt}

{reasons}

Of exact copies and of rows with the same key but different content one is accepted: of
the orders the one with the latest `updated_at`, else any. A rejected row does not
compete: one order and one customer have another version that is rejected. Versions of
a key differ, orders apart, only where no number hangs on it (a phone number, a label,
clicks, an hour), so that it does not matter which one stays.
"""


def count_reason(count: dict, code: str) -> int:
    """Count an input's rejected cells with one reason, over its columns."""
    return sum(
        rows for reason, rows in count["reasons"].items() if reason.endswith(f" {code}")
    )


def describe_shop(truth: dict) -> str:
    """Write the README of the demo shop."""
    header = "channel customers r alpha a b CAC purchases one-time NPS"
    channels = markdown_table(
        header.split(),
        (
            [
                name,
                channel["customers"],
                *channel["bgnbd"].values(),
                channel["cac"] or "no spend",
                f"{channel['realised']['purchases_per_customer']:.2f}",
                f"{channel['realised']['one_time_share']:.0%}",
                channel["nps"],
            ]
            for name, channel in truth["channels"].items()
        ),
    )
    accounting = truth["accounting"]
    fates = markdown_table(
        ["input", "rows", "accepted", "quarantined", "duplicates"],
        (
            [
                name,
                count["raw_rows"],
                count["accepted_rows"],
                count["quarantined_rows"],
                count["duplicate_rows"],
            ]
            for name, count in accounting.items()
        ),
    )
    dirt = markdown_table(
        ["reason", *accounting],
        (
            [code, *(count_reason(count, code) for count in accounting.values())]
            for code in REASONS_IN_WORDS
        ),
    )
    reasons = [f"- `{reason}`: {words}." for reason, words in REASONS_IN_WORDS.items()]
    uplifts = [f"{arm} {uplift:.0%}" for arm, uplift in WINBACK_UPLIFT.items()]
    margins = [f"{name} {1 - share:.0%}" for name, share in COST_SHARES.items()]
    return README.format(
        customers=accounting["customers"]["accepted_rows"],
        orders=accounting["orders"]["accepted_rows"],
        first=FIRST_DAY,
        last=LAST_DAY,
        channels=channels,
        brand=BRAND_CHANNEL,
        brand_spend=BRAND_SPEND,
        silent=SILENT_CHANNEL,
        silent_month=SILENT_MONTH,
        never=NEVER_ORDERED,
        amplitude=SEASON_AMPLITUDE,
        p=SPEND_P,
        q=SPEND_Q,
        v=SPEND_V,
        mean=SPEND_P * SPEND_V / (SPEND_Q - 1),
        alpha=CONTRACT_ALPHA,
        beta=CONTRACT_BETA,
        window=WINBACK_WINDOW,
        uplifts=", ".join(uplifts),
        loyal=LOYAL_PURCHASES,
        promoters=LOYAL_PROMOTERS,
        detractors=LOYAL_DETRACTORS,
        touch=LAST_TOUCH_IN_CHANNEL,
        visits=BROWSE_VISITS_PER_WEEK,
        margins=", ".join(margins),
        split=SPLIT_SHARE,
        unknown=len(UNKNOWN_CUSTOMERS),
        teleported=UNKNOWN_STATUS_ORDERS,
        status=UNKNOWN_STATUS,
        fates=fates,
        dirt=dirt,
        reasons="\n".join(reasons),
    )


def write_shop(folder: Path) -> None:
    """Write the ten tables, the ground truth and the README into a folder."""
    tables, truth = build_shop()
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        content = table.drop(columns=["fate", "reasons"])
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(content.columns)
            writer.writerows(content.itertuples(index=False))
    truth_text = json.dumps(truth, indent=2, ensure_ascii=False) + "\n"
    for name, text in (
        ("ground_truth.json", truth_text),
        ("README.md", describe_shop(truth)),
    ):
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Read the command line and write the demo shop."""
    parser = argparse.ArgumentParser(description="Write the demo shop.")
    parser.add_argument("--output", type=Path, default=ROOT / "seeds" / "demo")
    write_shop(parser.parse_args().output)


if __name__ == "__main__":
    main()
