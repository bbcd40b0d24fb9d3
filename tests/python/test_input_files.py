"""Files that are cut off, damaged or badly written: named with what to do, or read.

What a look into a file finds is tried on the function itself; that a build asks it, on
builds.
"""

import csv
import gzip
import io
import json

import duckdb
import input_files
import pytest
from conftest import write_orders

SELECT = ("--select", "+fct_orders", "+fct_rejected_rows")
HEADER = "order_id,customer_id,ordered_at,amount,status\n"
ROWS = "".join(f"o{n},ann,2024-01-{n:02},10.00,completed\n" for n in range(1, 29))
QUOTED = 'o29,"Ann ""A."", of\nLee",2024-01-29,10.00,completed\n'


look_into = input_files.report


def fault(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return json.loads(look_into(str(path)))["fault"]


WELL_WRITTEN = {
    "plain": HEADER + ROWS,
    "without rows": HEADER,
    "without a last line break": (HEADER + ROWS).removesuffix("\n"),
    "carriage returns": (HEADER + ROWS + QUOTED).replace("\n", "\r\n"),
    "of an old Mac": (HEADER + ROWS).replace("\n", "\r"),
    "byte order mark": "\ufeff" + HEADER + ROWS,
    "quoted line breaks": HEADER + QUOTED + ROWS + QUOTED.removesuffix("\n"),
    "blank before a quote": HEADER + 'o1, "two\nlines",2024-01-01,10.00,\n',
    "semicolons": (HEADER + ROWS).replace(",", ";"),
    "tabs and a comma": (HEADER + ROWS).replace(",", "\t") + "o9\tA, B\t\t\t\n",
    "inches": HEADER + 'o1,5" tap,2024-01-01,10.00,\n' + ROWS,
    "quotes within a line": HEADER + 'o1,"Ann "A" Lee",2024-01-01,10.00,\n' + ROWS,
    "an emoji": HEADER + "o1,😀,2024-01-01,10.00,\n",
    "10 MB in a value": HEADER + f"o1,{'x' * 10**7},2024-01-01,10.00,\n" + ROWS,
}


@pytest.mark.parametrize("name", WELL_WRITTEN)
def test_nothing_is_said_of_a_file_that_can_be_read(name, tmp_path):
    assert fault(tmp_path / "orders.csv", WELL_WRITTEN[name]) is None
    packed = gzip.compress(WELL_WRITTEN[name].encode())
    assert fault(tmp_path / "orders.csv.gz", packed) is None


DAMAGED = {
    "Latin-1": (
        (HEADER + ROWS + "o29,Müller,,,\n").encode("latin-1"),
        "line 30 is not UTF-8",
    ),
    "UTF-16": ((HEADER + ROWS).encode("utf-16"), "it is in UTF-16. Save it as UTF-8"),
    "UTF-16 without mark": ((HEADER + ROWS).encode("utf-16-le"), "it is in UTF-16"),
    "no quote closes": (
        HEADER + ROWS + 'o29,"Ann,2024-01-29,1.00,\n',
        "line 30 is not closed",
    ),
    "a quote closes another": (
        # the lines between would become part of the status
        HEADER + 'o0,ann,2024-01-01,1.00,"done\n' + ROWS + QUOTED,
        "a quote in line 2 is not closed",
    ),
    "half a letter": ((HEADER + "o1,ä").encode()[:-1], "cut off in the middle of a le"),
    "no end of line": (HEADER + "x" * 17 * 1024**2, "line 2 is longer than 16 MB"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_would_be_misread_is_refused_with_the_line(name, tmp_path):
    content, message = DAMAGED[name]
    assert message in fault(tmp_path / "orders.csv", content)


def test_a_file_cut_anywhere_but_behind_a_row_is_refused(tmp_path):
    """But for the value of the last column: where that ends nobody can know."""
    whole = HEADER + "".join(ROWS.splitlines(True)[:2]) + QUOTED + QUOTED
    path = tmp_path / "orders.csv"
    for length in range(len(HEADER), len(whole)):
        cut = whole[:length]
        [*_, last] = csv.reader(io.StringIO(cut, newline=""))
        is_row = len(last) == 5 or cut == HEADER.removesuffix("\n")
        assert (fault(path, cut) is None) == is_row, cut


def test_a_packed_file_cut_anywhere_is_refused(tmp_path):
    """DuckDB reads such a file as far as it goes."""
    whole = gzip.compress((HEADER + ROWS).encode(), mtime=0)
    for length in range(1, len(whole)):
        said = fault(tmp_path / "orders.csv.gz", whole[:length])
        assert "cut off" in said or "no gzip file" in said, length
    garbled = whole[:40] + bytes([whole[40] ^ 255]) + whole[41:]
    assert "damaged" in fault(tmp_path / "orders.csv.gz", garbled)


def test_a_cut_parquet_file_is_refused(tmp_path):
    path = tmp_path / "orders.parquet"
    duckdb.sql(f"copy (select range as order_id from range(9)) to '{path}'")
    whole = path.read_bytes()
    assert fault(path, whole) is None
    for length in range(len(whole)):
        said = fault(path, whole[:length])
        assert "cut off" in said or "no Parquet file" in said, length
    assert "no Parquet file" in fault(path, HEADER + ROWS)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    said = json.loads(look_into(str(tmp_path)))["fault"]
    assert said == "it can't be opened: Is a directory"


def test_columns_of_one_name_are_found(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text('order_id,"Amount",note,note, amount\n')
    assert json.loads(look_into(str(path)))["repeated"] == ["amount", "note"]


def test_a_build_names_the_file_that_is_cut_off_and_stops(tmp_path, warehouse):
    shop = write_orders(tmp_path / "shop", [("o1", "ann", "2024-01-05", "10.00")])
    (shop / "orders.csv").unlink()
    (shop / "orders.csv.gz").write_bytes(gzip.compress((HEADER + ROWS).encode())[:-99])
    result = warehouse.dbt("build", inputs=shop)
    assert not result.succeeded
    assert f"Input orders, file {shop}/orders.csv.gz: it is cut off" in result.output
    assert "Deliver it again" in result.output
    assert "created sql" not in result.output
    assert "Traceback" not in result.output


def test_a_column_that_is_there_twice_stops_the_build(tmp_path, warehouse):
    """DuckDB would take the first: who knows whether that is the one."""
    header = "order_id,customer_id,ordered_at,amount,Amount"
    rows = [("o1", "ann", "2024-01-05", "10.00", "12.00")]
    result = warehouse.dbt("build", inputs=write_orders(tmp_path, rows, header))
    assert not result.succeeded
    assert "orders.csv: the column amount is there more than once" in result.output


def test_a_csv_of_every_peculiarity_is_read_to_the_letter(tmp_path, warehouse):
    """Mark, carriage returns, columns in another order, long and hostile values."""
    texts = [
        "plain", "two\r\nlines", 'a "quote"', "comma, tab\t", "'; drop table x; --",
        "😀", "{{ 1/0 }}", "NULL", "#1", "back\\slash", "a\0b", "x" * 10_000_000,
    ]  # fmt: skip
    with (tmp_path / "orders.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["note", "Amount", "status", "customer_id", "ordered_at", "order_id"]
        )
        for number, text in enumerate(texts):
            writer.writerow(
                ["no", "10.00", "done", text, "2024-01-05", f"{number} {text[:20]}"]
            )
    warehouse.build(*SELECT, inputs=tmp_path)
    assert warehouse.query("select count(*) from fct_rejected_rows") == [(0,)]
    rows = warehouse.query(
        "select order_id, customer_id, revenue_amount from fct_orders"
    )
    assert {(row[0], row[1]) for row in rows} == {
        (f"{number} {text[:20]}", text) for number, text in enumerate(texts)
    }
    assert sum(row[2] for row in rows) == 10 * len(texts)
