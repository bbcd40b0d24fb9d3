"""Inputs are found wherever they lie, and said clearly to be missing where not."""

import datetime
import gzip
import os
import shutil
import subprocess

import duckdb
import pytest
from conftest import DBT, REPOSITORY, write_orders

ROWS = [
    ("o1", "ann", "2024-01-05 10:00:00", "10.00"),
    ("o2", "ben", "2024-02-07 11:30:00", "20.50"),
    ("o3", "ann", "2024-03-01", "5.25"),
    ("o4", None, "2024-03-02", "7.00"),
]
SELECT = ("--select", "+fct_orders", "+dim_customers", "+fct_rejected_rows")
ORDERS = """
    select order_id, customer_id, ordered_at, order_number, revenue_amount::float
    from fct_orders order by 1
"""


@pytest.fixture
def shop(tmp_path):
    return write_orders(tmp_path / "shop", ROWS)


def expected():
    return [
        ("o1", "ann", 1, 10.0),
        ("o2", "ben", 1, 20.5),
        ("o3", "ann", 2, 5.25),
        ("o4", None, None, 7.0),
    ]


def orders_of(warehouse):
    return [(row[0], row[1], row[3], row[4]) for row in warehouse.query(ORDERS)]


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "parts", "schema"])
def test_orders_are_read_in_every_form(form, shop, warehouse):
    csv = shop / "orders.csv"
    options = {"inputs": shop}
    if form == "csv.gz":
        (shop / "orders.csv.gz").write_bytes(gzip.compress(csv.read_bytes()))
        csv.unlink()
    if form == "parquet":
        duckdb.sql(f"copy (from '{csv}') to '{shop}/orders.parquet'")
        csv.unlink()
    if form == "parts":
        (shop / "orders").mkdir()
        for part in (1, 2):
            duckdb.sql(
                f"copy (from '{csv}' where right(order_id, 1)::int % 2 = {part - 1})"
                f" to '{shop}/orders/part-{part}.parquet'"
            )
        csv.unlink()
    if form == "schema":
        with duckdb.connect(str(warehouse.path)) as connection:
            connection.execute("create schema shop_tables")
            connection.execute(f"create table shop_tables.orders as from '{csv}'")
        options = {"environment": {"CLV_INPUT_SCHEMA": "shop_tables"}}
    warehouse.build(*SELECT, **options)
    assert orders_of(warehouse) == expected()


def test_columns_of_other_names_are_mapped(tmp_path, warehouse):
    shop = write_orders(tmp_path / "shop", ROWS, header="No,Who,When,Paid")
    mapping = {"order_id": "No", "customer_id": "Who", "ordered_at": "when",
               "amount": "Paid"}  # fmt: skip
    warehouse.build(
        *SELECT, inputs=shop, settings={"input_columns": {"orders": mapping}}
    )
    assert orders_of(warehouse) == expected()


def test_missing_orders_stop_the_build_at_once(tmp_path, warehouse):
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "bestellungen.csv").write_text("a\n")
    result = warehouse.dbt("build", inputs=tmp_path / "nothing")
    assert not result.succeeded
    assert "required input orders is missing" in result.output
    assert "bestellungen.csv" in result.output
    assert "created sql" not in result.output


def test_a_missing_required_column_is_named_with_what_was_found(tmp_path, warehouse):
    shop = write_orders(
        tmp_path / "shop", [], header="order_id,customer,ordered_at,amount"
    )
    result = warehouse.dbt("build", inputs=shop)
    assert not result.succeeded
    assert "orders.csv" in result.output
    assert "column customer_id is missing" in result.output
    assert "order_id, customer, ordered_at, amount" in result.output


def test_a_column_mapped_to_nothing_in_the_contract_is_refused(shop, warehouse):
    result = warehouse.dbt(
        "build", inputs=shop, settings={"input_columns": {"orders": {"ordr_id": "No"}}}
    )
    assert not result.succeeded
    assert "ordr_id" in result.output


def test_orders_that_are_all_unreadable_are_no_success(tmp_path, warehouse):
    shop = write_orders(tmp_path / "shop", [("1", "ann", "01.02.2024", "12,50")])
    result = warehouse.dbt("build", "--select", "+orders_were_usable", inputs=shop)
    assert not result.succeeded
    assert "orders_were_usable" in result.output


def test_an_empty_file_is_said_to_be_empty(tmp_path, warehouse):
    (tmp_path / "orders.csv").write_text("")
    result = warehouse.dbt("build", inputs=tmp_path)
    assert not result.succeeded
    assert "the file is empty" in result.output


def test_an_input_found_twice_is_refused(shop, warehouse):
    shutil.copy(shop / "orders.csv", shop / "orders.csv.gz")
    result = warehouse.dbt("build", inputs=shop)
    assert not result.succeeded
    assert "more than once" in result.output


def test_a_missing_table_of_a_schema_is_named(warehouse):
    result = warehouse.dbt("build", environment={"CLV_INPUT_SCHEMA": "nowhere"})
    assert not result.succeeded
    assert "nowhere.orders" in result.output


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("as_of_date", "2025-01-01') --", "must be a date such as"),
        ("holdout_days", -5, "must be a whole number of at least 1"),
        ("reporting_currency", "EUR' or 1=1 --", "must be an ISO 4217 code"),
    ],
)
def test_a_bad_setting_is_refused_with_advice(setting, value, message, shop, warehouse):
    result = warehouse.dbt("build", inputs=shop, settings={setting: value})
    assert not result.succeeded
    assert setting in result.output
    assert message in result.output


@pytest.mark.faults
def test_two_builds_run_side_by_side(shop, tmp_path):
    builds = [
        subprocess.Popen(
            [
                DBT,
                "build",
                "--target-path",
                tmp_path / name,
                "--log-path",
                tmp_path / name,
                "--select",
                "+fct_orders",
                "--resource-type",
                "model",
                "--resource-type",
                "seed",
            ],
            cwd=REPOSITORY,
            env=os.environ
            | {
                "CLV_INPUT": str(shop),
                "CLV_WAREHOUSE": str(tmp_path / f"{name}.duckdb"),
            },
            stdout=subprocess.DEVNULL,
        )
        for name in ("one", "other")
    ]
    assert [build.wait() for build in builds] == [0, 0]


def test_an_order_of_an_unknown_customer_is_quarantined_if_the_list_is_complete(
    shop, warehouse
):
    (shop / "customers.csv").write_text("customer_id\nann\n")
    warehouse.build(*SELECT, inputs=shop, settings={"customers_is_complete": True})
    assert [row[0] for row in orders_of(warehouse)] == ["o1", "o3", "o4"]
    assert warehouse.query(
        "select rejection_reasons from fct_rejected_rows where input_name = 'orders'"
    ) == [("customer_id: unknown_customer",)]


def test_no_line_of_a_csv_is_lost(tmp_path, warehouse):
    """Ids with a hash sign, quoted line breaks, lines too short and too long."""
    shop = tmp_path / "shop"
    shop.mkdir()
    lines = [f"{n},ann,2024-01-05,10.00" for n in range(30)]
    lines[20] = "#20,ann,2024-01-05,10.00"
    lines[21] = '21,"Ann\nor Anna",2024-01-05,10.00'
    lines[22] = "22,ann"
    lines[23] = "23,ann,2024-01-05,10.00,,"
    (shop / "orders.csv").write_text(
        "order_id,customer_id,ordered_at,amount\n" + "\n".join(lines) + "\n"
    )
    warehouse.build(*SELECT, "fct_rejected_rows", inputs=shop)
    assert warehouse.query("select count(*) from base_shop__orders") == [(30,)]
    assert warehouse.query("select count(*) from fct_orders") == [(29,)]
    assert warehouse.query("select rejection_reasons from fct_rejected_rows") == [
        ("ordered_at: missing, amount: missing",)
    ]


BAD_DATES = {
    # dates in other forms than ISO's are not guessed at
    "05.01.2024": "unparseable_date", "01/05/2024": "unparseable_date",
    "20240105": "unparseable_date", "5 Jan 2024": "unparseable_date",
    "1704412800": "unparseable_date", "2024-02-30": "unparseable_date",
    "now": "unparseable_date", "infinity": "unparseable_date",
    "0000-01-01": "before_1990", "-0044-03-15": "before_1990",
    "1899-12-30": "before_1990", "24-01-05": "before_1990",
    "9999-12-31": "in_future",
}  # fmt: skip
BAD_AMOUNTS = {
    "1e308": "out_of_range", "-10000000000": "out_of_range", "1e400": "not_finite",
    "NaN": "not_finite", "-Infinity": "not_finite", "12,50": "unparseable_number",
    "€ 5": "unparseable_number", "(5)": "unparseable_number",
    "0x1F": "unparseable_number",
}  # fmt: skip


def test_what_is_no_date_or_amount_is_quarantined_with_its_reason(tmp_path, warehouse):
    """And ISO dates in their five forms, and columns of other types, are read."""
    dates = ["2024-01-05", "2024/01/05", "2024-1-5", "2024-01-05T00:00:00Z",
             "2024-01-05 00:00:00.000"]  # fmt: skip
    rows = [(f"date {n}", "1", day, "1") for n, day in enumerate(dates * 6)]
    rows += [(f'"{text}"', "1", text, "1") for text in BAD_DATES]
    rows += [(f'"{text}"', "1", "2024-01-05", f'"{text}"') for text in BAD_AMOUNTS]
    shop = write_orders(tmp_path / "shop", rows)
    duckdb.sql(f"""
        copy (
            select
                1::utinyint as customer_id, true as has_marketing_consent,
                timestamp '2024-01-02 03:04:05' as created_at, 19.5 as birth_date,
                ['tea'] as interests
        ) to '{shop}/customers.parquet'
    """)
    duckdb.sql(f"""
        copy (
            select
                'date 0' as order_id, range::hugeint as line_number,
                7::double as product_id, 1 as unit_price,
                ([1, 'nan', 'inf', 1e308]::double[])[range + 1] as quantity
            from range(4)
        ) to '{shop}/order_items.parquet'
    """)
    warehouse.build(*SELECT, "+fct_order_items", inputs=shop)
    assert set(
        warehouse.query("""
            select row_content ->> 'order_id', rejection_reasons
            from fct_rejected_rows where input_name = 'orders'
        """)
    ) == {
        *((text, f"ordered_at: {reason}") for text, reason in BAD_DATES.items()),
        *((text, f"amount: {reason}") for text, reason in BAD_AMOUNTS.items()),
    }
    assert warehouse.query(
        "select count(*), min(ordered_at), max(ordered_at) from fct_orders"
    ) == [(30, datetime.datetime(2024, 1, 5), datetime.datetime(2024, 1, 5))]
    assert warehouse.query("""
        select input_name, rejection_reasons from fct_rejected_rows
        where input_name != 'orders' order by all
    """) == [
        ("customers", "birth_date: unparseable_date"),
        ("order_items", "quantity: not_finite"),
        ("order_items", "quantity: not_finite"),
        ("order_items", "quantity: out_of_range"),
    ]
    assert warehouse.query("select product_id from fct_order_items") == [("7.0",)]


def test_the_schemas_of_the_build_are_no_inputs(warehouse):
    result = warehouse.dbt("build", environment={"CLV_INPUT_SCHEMA": "raw"})
    assert not result.succeeded
    assert "where the build writes its own tables" in result.output


def test_a_build_that_spills_to_disk_goes_on(tmp_path, warehouse):
    """DuckDB refuses a new folder to spill to once it has spilled."""
    shop = tmp_path / "shop"
    shop.mkdir()
    orders = 1_000_000
    duckdb.sql(f"""
        copy (
            select
                'order ' || range as order_id,
                'customer ' || hash(range) % 100000 as customer_id,
                timestamp '2024-01-01' + to_minutes(range % 500000) as ordered_at,
                1 + range % 90 as amount
            from range({orders})
        ) to '{shop}/orders.parquet'
    """)
    warehouse.build(
        "--select",
        "+fct_orders",
        inputs=shop,
        environment={"CLV_MEMORY_LIMIT": "300MB"},
    )
    assert warehouse.query(
        "select count(*), sum(order_number > 0) from fct_orders"
    ) == [(orders, orders)]
