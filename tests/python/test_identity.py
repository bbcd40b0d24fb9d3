"""Ids that share an address, directly or through others, are one person's."""

import json
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import conftest
import duckdb
import pytest
from conftest import REPOSITORY, MacroProject, Warehouse, write_orders

SALT = "a secret of the tests"


@pytest.fixture
def project(
    macro_project: MacroProject, monkeypatch: pytest.MonkeyPatch
) -> MacroProject:
    """The macros, with the secret in their environment."""
    monkeypatch.setattr(conftest, "DBT_SETTINGS", ("DBT_",))
    monkeypatch.setenv("CLV_HASH_SALT", SALT)
    return macro_project


def matched(
    project: MacroProject, people: list[tuple], at_most: int
) -> tuple[dict[str, str], Counter]:
    """Match people (id, e-mail, phone): who counts as whom, and the groups."""
    rows = ", ".join(
        "(" + ", ".join("null" if x is None else f"'{x}'" for x in row) + ")"
        for row in people
    )
    customers = f"(select * from (values {rows}) as t (customer_id, email, phone))"
    call = f"{{% if execute %}}{{% do match_customers({json.dumps(customers)}) %}}"
    project.tables(
        {"called": f"{call}{{% endif %}}select 1 as one"},
        {"match_customers": "email_or_phone", "match_customers_at_most": at_most},
    )
    with duckdb.connect(str(project.warehouse), read_only=True) as database:
        ids = database.execute("from raw.customer_ids").fetchall()
        groups = database.execute("from raw.customer_groups").fetchall()
        tables = database.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw'"
        ).fetchall()
    assert {name for (name,) in tables} == {"customer_ids", "customer_groups"}
    return dict(ids), Counter(groups)


def test_who_is_one_person_and_who_is_not(project):
    ids, groups = matched(
        project,
        [
            # the same address, written otherwise
            ("b", " Ann@Example.com ", None),
            ("a", "ann@example.com", None),
            ("c", None, "+49 (30) 23125-009"),
            ("d", "", "493023125009"),
            # no addresses
            ("e", "none", "110"),
            ("f", "none", "110"),
            ("g", "@", None),
            ("h", "@", None),
            # five in a chain
            *((f"k{n}", f"chain{n // 2}@x.org", f"555 000{(n + 1) // 2}")
              for n in (1, 2, 3, 4, 5)),
            # six in a chain, no address of which is shared by more than two
            *((f"m{n}", f"long{n // 2}@x.org", f"777 000{(n + 1) // 2}")
              for n in (1, 2, 3, 4, 5, 6)),
            # the office of six people, two of whom share a phone as well
            *((f"o{n}", "info@office.org", "888 0000" if n < 3 else None)
              for n in (1, 2, 3, 4, 5, 6)),
        ],
        at_most=5,
    )  # fmt: skip
    assert ids == {
        "a": "a", "b": "a",
        "c": "c", "d": "c",
        **{f"k{n}": "k1" for n in (1, 2, 3, 4, 5)},
        "o1": "o1", "o2": "o1",
    }  # fmt: skip
    assert groups == {
        ("merged", 2): 3,
        ("merged", 5): 1,
        ("group_too_large", 6): 1,
        ("shared_by_too_many", 6): 1,
    }


def test_groups_are_those_of_a_graph_search(project):
    """Random people, and one chain of 300, against union and find."""
    chance = random.Random(7)
    people = [
        (
            f"r{number:03}",
            chance.choice([None, f"r{chance.randrange(220)}@x.org"]),
            chance.choice([None, f"99{chance.randrange(220):06}"]),
        )
        for number in range(300)
    ]
    chain = [
        (f"s{n:03}", f"s{n // 2}@x.org", f"88{(n + 1) // 2:06}") for n in range(300)
    ]
    chance.shuffle(chain)
    people += chain
    root = {person[0]: person[0] for person in people}

    def find(one: str) -> str:
        while root[one] != one:
            one = root[one]
        return one

    owners: dict[str, str] = {}
    shared = Counter(key for person in people for key in person[1:] if key)
    for name, *keys in people:
        for key in keys:
            if key:
                first, second = sorted((find(name), find(owners.setdefault(key, name))))
                root[second] = first
    ids, groups = matched(project, people, at_most=1000)
    expected = {
        name: find(name)
        for name, *keys in people
        if any(shared[key] > 1 for key in keys if key)
    }
    assert ids == expected
    assert groups == Counter(
        ("merged", size) for size in Counter(expected.values()).values()
    )
    assert ("merged", 300) in groups


def shop_of_two_ids(folder: Path) -> Path:
    """Write a shop in which ann ordered under two ids, and was seen under both."""
    write_orders(
        folder,
        [
            ("o1", "ann-2", "2024-01-10", "20.00"),
            ("o2", "ann-1", "2024-02-10", "30.00"),
            ("o3", "ben", "2024-02-11", "40.00"),
        ],
    )
    (folder / "customers.csv").write_text(
        "customer_id,created_at,email,phone\n"
        "ann-1,2024-02-01,ann@example.com,\n"
        "ann-2,2024-01-01,ANN@example.com,\n"
        "ben,2024-01-01,ben@example.com,\n"
    )
    (folder / "events.csv").write_text(
        "customer_id,occurred_at,event_type\n"
        "ann-1,2024-02-01 10:00:00,visit\n"
        "ann-2,2024-02-01 10:00:00,visit\n"
    )
    return folder


def test_what_either_id_did_is_one_customers(tmp_path, warehouse: Warehouse):
    shop = shop_of_two_ids(tmp_path / "shop")
    select = ("--select", "+fct_orders", "+fct_customer_matches", "base_shop__events")
    settings = {"match_customers": "email"}
    refused = warehouse.dbt("build", *select, inputs=shop, settings=settings)
    assert not refused.succeeded
    assert "CLV_HASH_SALT" in refused.output

    salt = {"CLV_HASH_SALT": SALT}
    warehouse.build(*select, inputs=shop, settings=settings, environment=salt)
    assert warehouse.query(
        "select order_id, customer_id, order_number from fct_orders order by 1"
    ) == [("o1", "ann-1", 1), ("o2", "ann-1", 2), ("o3", "ben", 1)]
    assert warehouse.query("from fct_customer_matches") == [("merged", 2, 1, 1)]
    for table, accepted in (("customers", 2), ("events", 1)):
        assert warehouse.query(
            f"select row_outcome, count(*) from base_shop__{table}"
            " group by 1 order by 1"
        ) == [("accepted", accepted), ("duplicate", 1)]
    # who is forgotten under one id is forgotten under all
    content = warehouse.path.read_bytes()
    assert b"ann-1" in content
    assert b"ann-2" in content
    forgotten = subprocess.run(
        [sys.executable, "scripts/forget.py", "--customer", "ann-2"],
        cwd=REPOSITORY,
        env={
            "CLV_WAREHOUSE": str(warehouse.path),
            "CLV_PUBLISHED": str(tmp_path / "none"),
            "CLV_EXPORTS": str(tmp_path / "none"),
        },
        capture_output=True,
        text=True,
    )
    assert "2 customers: in none of the" in forgotten.stdout, forgotten
    content = warehouse.path.read_bytes()
    assert b"ann-1" not in content
    assert b"ann-2" not in content
