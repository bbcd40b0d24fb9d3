"""Whole builds on other data, and what must not change their result."""

import datetime

import duckdb
import pytest
from conftest import DEMO, write_orders

# a hash is the engine's own; it may differ where the content is equal
HASHED = {"fct_orders": ("content_hash",), "fct_customer_months": ("content_hash",)}


def marts_of(warehouse):
    return {
        name: warehouse.table(name, HASHED.get(name, ())) for name in warehouse.marts()
    }


def assert_equal_marts(one, other):
    left, right = marts_of(one), marts_of(other)
    assert left.keys() == right.keys()
    for name in left:
        assert left[name] == right[name], name


@pytest.fixture(scope="session")
def cdnow(tmp_path_factory, workbench, cdnow_folder):
    from conftest import Warehouse

    path = tmp_path_factory.mktemp("built") / "cdnow.duckdb"
    return Warehouse(path, workbench).build(
        inputs=cdnow_folder, settings={"reporting_currency": "USD"}, tests=True
    )


def test_cdnow_has_its_published_totals(cdnow):
    """Fader and Hardie's master file; 80 of its rows are worth nothing."""
    assert cdnow.query("""
        select
            count(*), count(distinct customer_id), sum(revenue_amount)::varchar,
            count(*) filter (where order_amount = 0)
        from fct_orders
    """) == [(69_659, 23_570, "2500315.6300", 80)]
    assert cdnow.query("select count(*) from int_customer_days") == [(67_591,)]
    assert cdnow.query(
        "select sum(revenue_amount)::varchar from fct_customer_months"
    ) == [("2500315.6300",)]


def test_cdnow_customers_came_in_the_first_quarter_of_1997(cdnow):
    """All of them did; whoever has a later cohort paid nothing at first."""
    early = cdnow.query("""
        select count(*) from dim_customers
        where acquired_date between date '1997-01-01' and date '1997-03-31'
    """)
    assert early == [(23_570,)]


def test_tables_without_their_inputs_are_empty(cdnow):
    assert cdnow.query(
        "select count(*) from fct_channel_months where spend_amount > 0"
    ) == [(0,)]
    assert cdnow.query("select count(*) from fct_subscription_retention") == [(0,)]


@pytest.mark.faults
def test_the_order_of_rows_plays_no_part(tmp_path, warehouse, demo, workbench):
    """The demo shop with every file shuffled gives the same tables, to the byte."""
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    with duckdb.connect() as connection:
        for path in DEMO.glob("*.csv"):
            connection.execute(
                f"copy (from read_csv('{path}', all_varchar = true, header = true)"
                f" order by hash(columns(*)::varchar)) to '{shuffled / path.name}'"
            )
    assert_equal_marts(warehouse.build(inputs=shuffled), demo)


def test_no_number_is_not_a_number(demo, cdnow):
    assert demo.not_finite() == cdnow.not_finite() == []


@pytest.mark.faults
def test_a_past_day_is_seen_as_a_build_on_that_day_saw_it(
    tmp_path, warehouse, other_warehouse
):
    """Up to that day only; the rows of later days are cut from every file by hand."""
    day = "2025-06-30"
    moments = {
        "orders": "ordered_at", "customers": "created_at", "events": "occurred_at",
        "marketing_spend": "spend_date", "touchpoints": "touched_at",
        "surveys": "responded_at", "subscriptions": "started_at",
        "experiments": "assigned_at",
    }  # fmt: skip
    then = tmp_path / "then"
    then.mkdir()
    with duckdb.connect() as connection:
        for path in DEMO.glob("*.csv"):
            moment = moments.get(path.stem)
            kept = (
                f"where coalesce(try_cast({moment} as date), date '1900-01-01')"
                f" <= date '{day}'"
                if moment
                else ""
            )
            connection.execute(
                f"copy (from read_csv('{path}', all_varchar = true, header = true)"
                f" {kept}) to '{then / path.name}'"
            )
    settings = {"as_of_date": day}
    warehouse.build(settings=settings)
    other_warehouse.build(settings=settings, inputs=then)
    left, right = marts_of(warehouse), marts_of(other_warehouse)
    for name in left:
        # quality speaks of the files, which differ
        if name in (
            "fct_input_health",
            "fct_reconciliation",
            "fct_rejected_rows",
            "fct_rejection_reasons",
        ):
            continue
        assert left[name] == right[name], name


@pytest.mark.faults
def test_a_shop_without_orders_has_empty_tables(tmp_path, warehouse):
    warehouse.build(inputs=write_orders(tmp_path / "shop", []), tests=True)
    for name in ("fct_orders", "dim_customers", "fct_customer_value"):
        assert warehouse.query(f"select count(*) from {name}") == [(0,)], name


@pytest.mark.faults
def test_a_single_order_is_a_shop(tmp_path, warehouse):
    rows = [("o1", "ann", datetime.date(2024, 5, 5), "10.00")]
    warehouse.build(inputs=write_orders(tmp_path / "shop", rows), tests=True)
    assert warehouse.query(
        "select customer_id, historic_revenue_amount::varchar from fct_customer_value"
    ) == [("ann", "10.0000")]


@pytest.mark.faults
def test_one_customer_with_everything_is_a_shop(tmp_path, warehouse):
    """All inputs speak of her alone, so that nobody can be compared with anybody."""

    def day(number):
        return datetime.date(2024, 1, 1) + datetime.timedelta(days=number)

    write_orders(tmp_path, [(f"o{n}", "ann", day(9 * n), "10.00") for n in range(60)])
    inputs = {
        "customers": (
            "customer_id,created_at,country,acquisition_channel,has_marketing_consent",
            [f"ann,{day(0)},DE,ads,true"],
        ),
        "order_items": (
            "order_id,line_number,product_id,quantity,unit_price",
            [f"o{n},1,p{n % 3},1,10.00" for n in range(60)],
        ),
        "products": ("product_id,category", [f"p{n},kind {n}" for n in range(3)]),
        "marketing_spend": (
            "spend_date,channel,amount", [f"{day(n)},ads,5" for n in range(30)]
        ),
        "touchpoints": (
            "touchpoint_id,customer_id,touched_at,channel",
            [f"t{n},ann,{day(9 * n)},ads" for n in range(60)],
        ),
        "events": (
            "customer_id,occurred_at,event_type",
            [f"ann,{day(n)},visit" for n in range(500)],
        ),
        "surveys": (
            "customer_id,responded_at,score",
            [f"ann,{day(90 * n)},{2 * n}" for n in range(6)],
        ),
        "subscriptions": (
            "subscription_id,customer_id,started_at,ended_at,monthly_amount",
            [f"s{n},ann,{day(90 * n)},{day(90 * n + 60)},9" for n in range(5)]
            + [f"s5,ann,{day(450)},,9"],
        ),
        "experiments": (
            "experiment_id,customer_id,arm,assigned_at", [f"e,ann,control,{day(100)}"]
        ),
    }  # fmt: skip
    for name, (header, rows) in inputs.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n")
    warehouse.build(inputs=tmp_path, tests=True)
    assert warehouse.query("""
        select customer_id, historic_revenue_amount::varchar from fct_customer_value
    """) == [("ann", "600.0000")]
    assert warehouse.query("from fct_rejected_rows") == []
    assert warehouse.not_finite() == []
