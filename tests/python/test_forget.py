"""Who is forgotten is in no byte of any file; the totals stay, and builds keep both."""

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import duckdb
import forget
import pytest
from conftest import DBT_SETTINGS, REPOSITORY, Result, Warehouse

SCRIPT = REPOSITORY / "scripts" / "forget.py"
WHO = "zenobia-7f3a91"
HER_ORDERS = ("zo1-71c4", "zo2-71c4", "zo3-71c4", "zo4-71c4", "zo5-71c4", "zo6-71c4")
HERS = (WHO, "zenobia@example.com", *HER_ORDERS)

# What says of orders where they ended, and how much they are worth
SELECT = ("--select", "+fct_reconciliation")
TOTALS = """
    select
        order_month,
        order_state,
        count(*),
        sum(order_amount),
        sum(discount_amount),
        sum(refund_amount),
        sum(revenue_amount),
        sum(margin_amount)
    from main.fct_orders
    group by all
    order by all
"""
HEADER = (
    "order_id,customer_id,ordered_at,amount,status,"
    "refund_amount,cost_amount,currency,updated_at\n"
)
ORDERS = f"""{HEADER}\
o1,ben,2024-01-10,20.00,completed,,5.00,EUR,2024-01-10
zo1-71c4,zenobia-7f3a91,2024-01-12,33.33,completed,,11.11,GBP,2024-01-12
zo2-71c4,zenobia-7f3a91,2024-03-02,10.01,completed,3.00,,EUR,2024-03-02
zo3-71c4,zenobia-7f3a91,2024-03-30,50.00,completed,,20.00,EUR,2024-03-30
zo4-71c4,zenobia-7f3a91,2024-03-31,70.00,cancelled,,,EUR,2024-03-31
zo5-71c4,zenobia-7f3a91,2024-03-31,many,completed,,,EUR,2024-03-31
zo6-71c4,zenobia-7f3a91,2024-04-01,5.00,completed,,,EUR,2024-04-01
zo6-71c4,zenobia-7f3a91,2024-04-01,6.00,completed,,,EUR,2024-04-02
moved,zenobia-7f3a91,2024-02-01,40.00,completed,,,EUR,2024-02-01
moved,ben,2024-02-01,40.00,completed,,,EUR,2024-02-02
o2,,2024-02-03,9.99,completed,,,EUR,2024-02-03
o3,cleo,2024-03-05,12.00,completed,,,EUR,2024-03-05
o4,ben,2024-04-09,30.00,completed,,10.00,EUR,2024-04-09
"""
OTHERS = {
    "customers": """customer_id,created_at,name,email,birth_date
ben,2024-01-01,Ben Sand,ben@example.com,1980-02-03
zenobia-7f3a91,2024-01-02,Zenobia Reed,zenobia@example.com,1971-05-06
zenobia-7f3a91,2024-01-02,Zenobia Rede,zenobia@example.com,1971-05-06
""",
    "order_items": """order_id,line_number,product_id,quantity,unit_price,unit_cost
o1,1,p1,2,10.00,2.50
zo2-71c4,1,p1,1,10.01,4.0001
zo6-71c4,one,p1,1,6.00,2.00
moved,1,p1,4,10.00,3.00
""",
    "events": """customer_id,occurred_at,event_type
zenobia-7f3a91,2024-03-01 10:00:00,visit
ben,2024-03-01 10:00:00,visit
""",
}


def run_script(shop: SimpleNamespace, *arguments: str) -> Result:
    """Run the script as `make forget` does."""
    environment = {k: v for k, v in os.environ.items() if k[:4] not in DBT_SETTINGS}
    environment |= {
        "CLV_WAREHOUSE": str(shop.warehouse.path),
        "CLV_PUBLISHED": str(shop.published),
        "CLV_EXPORTS": str(shop.warehouse.exports),
    }
    run = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env=environment,
        capture_output=True,
        text=True,
    )
    return Result(run.returncode, run.stdout + run.stderr)


def publish(warehouse: Warehouse, path: Path) -> None:
    """Copy the marts, with a description, to a file of their own."""
    with duckdb.connect(str(path)) as version:
        version.execute(f"attach '{warehouse.path}' as built (read_only)")
        for mart in set(warehouse.marts()) - {"fct_rejected_rows"}:
            version.execute(f"create table {mart} as from built.main.{mart}")
        version.execute("create table publication (published_at timestamp)")
        version.execute("comment on column fct_orders.order_id is 'Which order.'")
    path.chmod(0o444)


def files_of(shop: SimpleNamespace) -> list[Path]:
    """List every file that is kept."""
    folders = [shop.published, shop.warehouse.exports]
    found = [shop.warehouse.path, *(x for y in folders for x in y.rglob("*"))]
    return [path for path in found if path.is_file() and path.name != ".lock"]


def bytes_found(shop: SimpleNamespace, texts: tuple[str, ...]) -> set[str]:
    """Find which texts stand in which kinds of files, byte for byte."""
    found = set()
    for path in files_of(shop):
        content = path.read_bytes()
        if any(text.encode() in content for text in texts):
            found.add(path.name)
    return found


def totals(path: Path) -> list[tuple]:
    """Orders, revenue and margin of each month and state."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(TOTALS).fetchall()


def put(folder: Path, **inputs: str) -> Path:
    """Write inputs as a shop would deliver them."""
    folder.mkdir(exist_ok=True)
    for name, text in inputs.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, workbench: Path) -> SimpleNamespace:
    """A shop whose warehouse, two versions and an export are as before and after."""
    folder = tmp_path_factory.mktemp("forget")
    warehouse = Warehouse(folder / "own.duckdb", workbench)
    shop = SimpleNamespace(
        warehouse=warehouse,
        published=folder / "published",
        inputs=put(folder / "inputs", orders=ORDERS, **OTHERS),
    )
    warehouse.build(*SELECT, inputs=shop.inputs)
    (shop.published / "versions").mkdir(parents=True)
    shop.versions = [shop.published / "versions" / f"00000{n}.duckdb" for n in (1, 2)]
    for version in shop.versions:
        publish(warehouse, version)
    shop.served = shop.published / "customer_lifetime.duckdb"
    os.link(shop.versions[1], shop.served)
    for kind in ("csv", "parquet"):
        duckdb.sql(
            f"copy (select unnest(['ben', '{WHO}']) as customer_id, 'tea' as offer) to"
            f" '{warehouse.exports / f'audience_email.{kind}'}' (format {kind})"
        )
    shop.old_version = folder / "old_version.duckdb"
    shutil.copy(shop.versions[0], shop.old_version)
    shop.totals = totals(warehouse.path)
    shop.found_before = bytes_found(shop, HERS)
    shop.reader = duckdb.connect(str(shop.served), read_only=True)
    shop.run = run_script(shop, "--customer", WHO)
    yield shop
    shop.reader.close()


def test_no_byte_of_her_is_left_in_any_file(shop):
    assert shop.found_before == {
        "own.duckdb", "000001.duckdb", "000002.duckdb", "customer_lifetime.duckdb",
        "audience_email.csv", "audience_email.parquet",
    }, "the search itself finds what is there"  # fmt: skip
    assert shop.run.returncode == 0, shop.run.output
    assert bytes_found(shop, HERS) == set()
    assert len(files_of(shop)) == len(shop.found_before), "no copy was left behind"


def test_it_says_what_was_where(shop):
    assert "main.fct_customer_months: 3" in shop.run.output
    assert "staging.base_shop__orders: 8" in shop.run.output
    assert "staging.base_shop__order_items: 2" in shop.run.output
    assert f"{shop.served}: " in shop.run.output
    assert "1 customers: in none of the" in shop.run.output


def test_the_totals_of_each_month_stand_everywhere(shop):
    for path in (shop.warehouse.path, *shop.versions, shop.served):
        assert totals(path) == shop.totals, path


def test_the_served_file_is_still_the_newest_version_and_has_its_descriptions(shop):
    assert shop.served.samefile(shop.versions[1])
    assert shop.served.stat().st_mode & 0o777 == 0o444
    with duckdb.connect(str(shop.served), read_only=True) as connection:
        assert connection.execute(
            "select comment from duckdb_columns() where comment is not null"
        ).fetchall() == [("Which order.",)]


def test_who_had_the_served_file_open_reads_on(shop):
    assert shop.reader.execute(TOTALS).fetchall() == shop.totals


def test_orders_that_stand_in_have_no_day_and_no_amount_of_hers(shop):
    assert shop.warehouse.query("""
        select order_id, ordered_at::varchar, revenue_amount, customer_id, is_guest
        from fct_orders
        where order_month = '2024-03-01' and order_id like 'forgotten%'
        order by 1
    """) == [
        ("forgotten-2024-03-cancelled-1", "2024-03-01 00:00:00", 0, None, True),
        # (10.01 - 3.00 + 50.00) / 2
        *(
            (f"forgotten-2024-03-completed-{n}", "2024-03-01 00:00:00",
             Decimal("28.505"), None, True)
            for n in (1, 2)
        ),
    ]  # fmt: skip
    assert shop.warehouse.query(
        "select ordered_at::varchar from fct_orders where order_id like"
        " 'forgotten-2024-01%'"
    ) == [("2024-01-10 00:00:00",)], "not before the first order that is left"


def test_builds_leave_her_out_whether_she_is_delivered_or_not(shop, other_warehouse):
    """The next build goes on from what stands; one of all anew comes to the same."""
    own = shop.warehouse
    shutil.copy(own.path, other_warehouse.path)
    own.build(*SELECT, inputs=shop.inputs)
    assert own.query(
        "select value_in, is_reconciled from fct_reconciliation where input_name ="
        " 'orders' and identity_name like 'delivered rows + stand-ins%'"
    ) == [(13 + 5, True)]
    assert own.query("select count(*) from fct_reconciliation where not is_reconciled")[
        0
    ] == (0,)
    assert own.query("select row_outcome, customer_id from base_shop__orders"
                     " where order_id = 'moved'") == [("accepted", "ben")]  # fmt: skip

    gone = put(
        shop.inputs.parent / "gone",
        **{
            name: "".join(
                line
                for line in text.splitlines(keepends=True)
                if not any(hers in line for hers in HERS)
            )
            for name, text in {"orders": ORDERS, **OTHERS}.items()
        },
    )
    other_warehouse.build(*SELECT, "--full-refresh", inputs=gone)
    for warehouse in (own, other_warehouse):
        assert totals(warehouse.path) == shop.totals
        content = warehouse.path.read_bytes()
        assert not any(text.encode() in content for text in HERS)
    for table in ("fct_orders", "fct_order_items", "fct_customer_months"):
        assert own.table(table) == other_warehouse.table(table), table


def test_the_next_one_shares_the_month_and_a_run_that_broke_off_is_finished(shop):
    """Done again with what a kill would leave behind: a version that has them."""
    shutil.copy(shop.old_version, shop.versions[0])
    run = run_script(shop, "--customer", f"{WHO}, cleo")
    assert run.succeeded, run.output
    assert bytes_found(shop, (*HERS, "cleo")) == set()
    for path in (shop.warehouse.path, *shop.versions):
        assert totals(path) == shop.totals, path
    assert shop.warehouse.query(
        "select distinct count(*) over (), max(revenue_amount) over () from fct_orders"
        " where order_id like 'forgotten-2024-03-completed-%'"
    ) == [(3, Decimal("23.0034"))], "(10.01 - 3.00 + 50.00 + 12.00) / 3, the last more"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Whom? make forget CUSTOMER="),
        (("--file", "no_such_file.txt"), "no_such_file.txt"),
        (("--customer", "ben"), "close that and run this again"),
    ],
)
def test_it_says_why_it_changed_nothing(shop, arguments, message):
    before = shop.warehouse.path.read_bytes()
    with duckdb.connect(str(shop.warehouse.path), read_only=True):
        run = run_script(shop, *arguments)
    assert run.returncode == 2
    assert message in run.output
    assert "Traceback" not in run.output
    assert shop.warehouse.path.read_bytes() == before


def test_orders_that_a_build_left_out_are_not_lost_from_the_totals(shop, tmp_path):
    copy = SimpleNamespace(
        warehouse=SimpleNamespace(path=tmp_path / "own.duckdb", exports=tmp_path),
        published=tmp_path,
    )
    shutil.copy(shop.warehouse.path, copy.warehouse.path)
    with duckdb.connect(str(copy.warehouse.path)) as connection:
        connection.execute("delete from main.fct_orders where order_id = 'o4'")
    run = run_script(copy, "--customer", "ben")
    assert run.returncode == 2
    assert "1 orders are known but not in fct_orders" in run.output


@pytest.mark.parametrize("total", ["100.0000", "-0.0001", "0.0007", "-33.3333", "0"])
def test_parts_add_up(total):
    for count in (1, 2, 3, 7):
        parts = forget.parts(Decimal(total), count)
        assert len(parts) == count
        assert sum(parts) == Decimal(total)
