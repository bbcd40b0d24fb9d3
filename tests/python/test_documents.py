"""What the documents say to type works, and gives the answers printed below it.

Queries run on the demo shop, one after the other. Of each command in a shell block it
is known who runs it: this file, or what `RUN_BY` names. Names of tables, columns of
handbooks, settings, targets of make, files and tests must exist.

``python tests/python/test_documents.py [warehouse]`` prints the answers anew, after a
build of the demo shop.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import DBT_SETTINGS, REPOSITORY

PAGES = [
    *sorted(
        page.relative_to(REPOSITORY).as_posix()
        for folder in (".", "docs", "benchmarks", "seeds/demo")
        for page in (REPOSITORY / folder).glob("*.md")
    )
]
# Their blocks are read by a test of their own: it asks MetricFlow, or builds a shop
METRICS = "docs/metrics.md"
OWN_SHOP = "docs/getting-started.md"

BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$"
    r"(?:\n *```text\n(?P<answer>.*?)^ *```$)?",
    re.DOTALL | re.MULTILINE,
)
QUESTION = re.compile(
    r"```sql\n(?P<sql>(?:(?!```).)*?)```\n```text\n(?P<answer>(?:(?!```).)*?)```",
    re.DOTALL,
)
LANGUAGES = {"sh", "sql", "text", "yaml", "python", ""}

# SQL that is for another engine than the demo shop's, by how the block begins, and what
# runs the same
SQL_RUN_BY = {
    "attach 'ducklake:": "make test-ducklake",
    "select max(snapshot_id) from ducklake": "make test-ducklake",
    "call ducklake_": "nobody: tables of DuckLake expire after days",
}

# Commands that are too long, or change too much, for this file: a pattern of the whole
# command, and what runs it (a test, or a target of make)
RUN_BY = {
}


@dataclass(frozen=True)
class Block:
    """A block of a page."""

    page: str
    language: str
    text: str
    answer: str | None

    def __str__(self) -> str:
        """Name it by its page and first line."""
        return f"{self.page}: {self.text.splitlines()[0] if self.text else ''}"


def blocks(language: str, pages: list[str] = PAGES) -> list[Block]:
    """All blocks of a language."""
    return [
        Block(page, *block.group("language", "text", "answer"))
        for page in pages
        for block in BLOCK.finditer((REPOSITORY / page).read_text())
        if block["language"] == language
    ]
