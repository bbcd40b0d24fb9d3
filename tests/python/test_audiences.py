"""Who is contacted from day to day: the ledger remembers, the exports say it."""

import csv
import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import Result, Warehouse

# What is built anew here; all else stands as the demo shop's build has left it.
SELECTED = ("--select", "fct_audience_ledger", "fct_audience_members")
CHANNELS = ("email", "phone", "post", "push", "sms", "social")
REASONS = "select left_out_reason, count(*) from fct_audience_members group by all"


@pytest.fixture
def shop(demo: Warehouse, warehouse: Warehouse) -> Warehouse:
    """The demo shop as built today, with the audience of its last day."""
    shutil.copy(demo.path, warehouse.path)
    return warehouse


def let_days_pass(shop: Warehouse, days: int) -> None:
    """Date the audiences back, as if they were of days before."""
    with duckdb.connect(str(shop.path)) as connection:
        connection.execute(
            f"update fct_audience_ledger set audience_date = audience_date - {days}"
        )


def ledger(shop: Warehouse, days_ago: int = 0) -> list[tuple]:
    """The audience of a day, by customer."""
    return shop.query(f"""
        select customer_id, strategy_id, contact_channel, offer, expected_profit_amount
        from fct_audience_ledger
        where audience_date = date '2025-12-31' - {days_ago}
        order by customer_id
    """)


def rows_of(path: Path) -> list[dict]:
    """The lines of a CSV file."""
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_day_that_is_built_again_has_the_same_audience(shop):
    first, members = ledger(shop), shop.table("fct_audience_members")
    assert len(first) > 100
    for _ in range(2):
        shop.build(*SELECTED)
        assert ledger(shop) == first
        assert shop.table("fct_audience_members") == members


def test_who_was_contacted_is_left_in_peace_and_can_be_contacted_again(shop):
    """Within 30 days nobody, after that the same, at most 12 times within 365 days."""
    first = ledger(shop)
    let_days_pass(shop, 29)
    shop.build(*SELECTED)
    assert ledger(shop, days_ago=29) == first
    assert ledger(shop) == []
    assert dict(shop.query(REASONS))["cooldown"] == len(first)

    let_days_pass(shop, 1)
    shop.build(*SELECTED, "--full-refresh")
    assert ledger(shop, days_ago=30) == first, "a full refresh forgets nothing"
    assert ledger(shop) == first
    assert shop.query(
        "select distinct contacts_last_year_count, last_contact_date::varchar"
        " from fct_audience_members where is_contacted"
    ) == [(1, "2025-12-01")]

    with duckdb.connect(str(shop.path)) as connection:
        connection.execute("""
            insert into fct_audience_ledger
            select fct_audience_ledger.* replace (
                audience_date - days::integer as audience_date
            )
            from fct_audience_ledger cross join range(1, 12) as past (days)
            where audience_date = date '2025-12-01'
        """)
    shop.build(*SELECTED)
    assert ledger(shop) == []
    assert dict(shop.query(REASONS))["contact_cap"] == len(first)


def test_the_exports_are_the_audience_by_channel_and_carry_ids_only(shop):
    shop.build(*SELECTED)
    assert {path.name for path in shop.exports.iterdir()} == {
        f"audience_{channel}.{kind}"
        for channel in CHANNELS
        for kind in ("csv", "parquet")
    }
    exported = 0
    for channel in CHANNELS:
        expected = [row for row in ledger(shop) if row[2] == channel]
        rows = rows_of(shop.exports / f"audience_{channel}.csv")
        columns = ["audience_date", "customer_id", "strategy_id", "offer"]
        assert [list(row) for row in rows] == [columns] * len(rows)
        assert [tuple(row.values())[1:] for row in rows] == [
            (customer, strategy, offer) for customer, strategy, _, offer, _ in expected
        ]
        parquet = duckdb.read_parquet(
            str(shop.exports / f"audience_{channel}.parquet")
        ).fetchall()
        assert [tuple(map(str, row)) for row in parquet] == [
            tuple(row.values()) for row in rows
        ]
        exported += len(rows)
    assert exported == len(ledger(shop))


def test_a_build_that_fails_exports_nothing_and_contacts_nobody(shop):
    shop.build(*SELECTED)
    first = ledger(shop)
    before = {path.name: path.read_bytes() for path in shop.exports.iterdir()}
    let_days_pass(shop, 40)
    with duckdb.connect(str(shop.path)) as connection:
        connection.execute("""
            insert into fct_audience_ledger
            select twice.* replace (audience_date - 1 as audience_date)
            from (from fct_audience_ledger limit 1) as twice cross join range(2)
        """)
    result: Result = shop.dbt("build", *SELECTED)
    assert not result.succeeded, "one customer is twice in the audience of a day"
    assert "none counts as contacted" in result.output
    after = {path.name: path.read_bytes() for path in shop.exports.iterdir()}
    assert after == before

    let_days_pass(shop, 1)
    shop.build(*SELECTED)
    assert ledger(shop) == first, "the audience of the failed build is not at rest"
    assert ledger(shop, days_ago=1) == []


def test_a_build_as_of_an_earlier_day_changes_no_audience(shop):
    """A back-test in the same warehouse must not forget who was contacted."""
    shop.build(*SELECTED)
    before = {path.name: path.read_bytes() for path in shop.exports.iterdir()}
    let_days_pass(shop, -10)
    standing = shop.table("fct_audience_ledger")
    result = shop.dbt("build", *SELECTED)
    assert result.succeeded, result.output
    assert "Nothing was exported" in result.output
    assert shop.table("fct_audience_ledger") == standing
    assert dict(shop.query(REASONS))["past_day"] == len(standing)
    after = {path.name: path.read_bytes() for path in shop.exports.iterdir()}
    assert after == before


def test_a_channel_without_members_has_files_without_rows(shop):
    """Else the audience of an earlier day would be taken for today's."""
    shop.build(*SELECTED)
    let_days_pass(shop, 1)
    shop.build(*SELECTED)
    for channel in CHANNELS:
        assert rows_of(shop.exports / f"audience_{channel}.csv") == []
