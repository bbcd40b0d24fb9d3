"""The queries in README.md and docs/questions.md give the answers printed below them.

``python tests/python/test_readme.py [warehouse]`` prints the answers anew, after a
build of the demo shop.
"""

import re
import sys
from pathlib import Path

import duckdb
import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = {"README.md": 5, "docs/questions.md": 15}  # with their numbers of questions
QUESTION = re.compile(
    r"```sql\n(?P<sql>.*?)```\n```text\n(?P<answer>.*?)```", re.DOTALL
)


def answer(warehouse: Path, sql: str) -> str:
    """The result of a query as a plain table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        result = connection.execute(sql)
        rows = [[column[0] for column in result.description]]
        rows += [
            ["" if value is None else str(value) for value in row]
            for row in result.fetchall()
        ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    return "".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True))
        .rstrip()
        + "\n"
        for row in rows
    )  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_the_answers_are_those_of_the_demo_shop(demo, page):
    questions = list(QUESTION.finditer((REPOSITORY / page).read_text()))
    assert len(questions) == PAGES[page]
    for question in questions:
        assert answer(demo.path, question["sql"]) == question["answer"], question["sql"]


def update(warehouse: Path) -> None:
    """Print the answers of a warehouse into the pages."""
    for page in PAGES:
        text = (REPOSITORY / page).read_text()
        (REPOSITORY / page).write_text(
            QUESTION.sub(
                lambda q: (
                    f"```sql\n{q['sql']}```\n```text\n{answer(warehouse, q['sql'])}```"
                ),
                text,
            )
        )


if __name__ == "__main__":
    update(Path(*sys.argv[1:2] or ["warehouse/customer_lifetime.duckdb"]))
