"""The demo shop's whole build finds what was put in."""

import csv
import re
from collections import Counter

import pytest
import yaml
from conftest import DEMO, REPOSITORY


@pytest.mark.parametrize("outcome", ["accepted", "quarantined", "duplicate"])
def test_every_raw_row_ends_where_it_was_meant_to(demo, truth, outcome):
    counted = dict(
        demo.query(f"select input_name, {outcome}_row_count from fct_input_health")
    )
    assert counted == {
        name: account[f"{outcome}_rows"] if outcome != "duplicate" else
        account["duplicate_rows"]
        for name, account in truth["accounting"].items()
    }  # fmt: skip


def test_each_reason_is_found_as_often_as_it_was_put_in(demo, truth):
    found = Counter()
    for name, reasons in demo.query(
        "select input_name, rejection_reasons from fct_rejected_rows"
        " where row_outcome = 'quarantined'"
    ):
        found.update((name, reason) for reason in reasons.split(", ") if ": " in reason)
    assert found == Counter(
        {
            (name, reason): count
            for name, account in truth["accounting"].items()
            for reason, count in account["reasons"].items()
        }
    )


def test_raw_rows_are_those_of_the_files(demo):
    """Counted in the files themselves, not through the models."""
    files = {}
    for path in DEMO.glob("*.csv"):
        with path.open(newline="") as file:
            files[path.stem] = sum(1 for _ in csv.reader(file)) - 1
    assert files == dict(
        demo.query("select input_name, raw_row_count from fct_input_health")
    )


def test_money_in_the_files_is_money_in_the_warehouse(demo):
    """To the cent, in the files' own currencies, of all rows that can be read."""
    for table, amount in {
        "orders": "try_cast(amount as decimal(18, 4))",
        "order_items": "try_cast(quantity as decimal(18, 4))"
        " * try_cast(unit_price as decimal(18, 4))",
        "marketing_spend": "try_cast(amount as decimal(18, 4))",
        "subscriptions": "try_cast(monthly_amount as decimal(18, 4))",
        "experiments": "try_cast(cost_amount as decimal(18, 4))",
    }.items():  # fmt: skip
        in_file = demo.query(
            f"select sum({amount}) from read_csv('{DEMO / table}.csv',"
            f" header = true, all_varchar = true)"
        )[0][0]
        reconciled = demo.query(
            "select value_in, value_out from fct_reconciliation"
            f" where input_name = '{table}' and identity_name like 'raw money%'"
        )
        assert reconciled == [(in_file, in_file)], table


def test_the_last_order_sets_the_clock(demo, truth):
    assert demo.query(
        "select cutoff_date::varchar from int_cutoff_dates where cutoff = 'live'"
    ) == [(truth["last_day"],)]


def test_rejected_customers_are_shown_without_every_personal_column_of_the_contract():
    contract = yaml.safe_load(
        (REPOSITORY / "models/staging/shop/_shop__sources.yml").read_text()
    )
    personal = {
        column["name"]
        for table in contract["sources"][0]["tables"]
        for column in table["columns"]
        if column.get("config", {}).get("meta", {}).get("personal")
    }
    model = REPOSITORY / "models/intermediate/quality/int_commerce_rows_rejected.sql"
    withheld = re.search(r"without_keys\('row_content', \[(.*?)\]", model.read_text())
    assert set(re.findall(r"\w+", withheld[1])) == personal


def test_rates_and_shares_are_fractions_or_growth(demo):
    columns = demo.query(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'main' and column_name like '%\\_rate' escape '\\'"
    )
    assert columns
    negative = " union all ".join(
        f"select '{table}', '{column}' from {table} having min({column}) < 0"
        for table, column in columns
    )
    assert demo.query(negative) == []
