"""Look into input files before DuckDB reads them, for what it would not notice.

DuckDB reads a gzip file that was cut off as far as it goes, takes all up to the next
quote for one value where a quote is not closed, and keeps the first of two columns of
one name: rows and money would be lost without a word. Its own messages about encodings
speak of options that a user of this project does not have.

A plugin of dbt-duckdb (profiles.yml): it gives each connection the SQL function
`input_file_report(path)`, which macros/inputs/find_input_file.sql asks. It also refuses
what dbt-duckdb would put into its SQL, or fail on with a stack trace.
"""

import codecs
import csv
import gzip
import io
import json
import os
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError
from duckdb import DuckDBPyConnection

# as max_line_size in find_input_file.sql
LONGEST_ROW = 16 * 1024 * 1024
CHUNK = 1024 * 1024
DELIMITERS = ",;\t|"
AGAIN = "Deliver it again, in full"


class FaultError(Exception):
    """What is wrong with a file, and what to do, in words."""


class Plugin(BasePlugin):
    """Checks what a connection is made of, and gives it the report as a function."""

    def update_connection_config(
        self, creds: DuckDBCredentials, config: dict[str, Any]
    ) -> None:
        """Refuse a warehouse or a limit that can't be, before it is opened."""
        if re.search(r"[^\w .-]", creds.database):
            raise DbtRuntimeError(
                f"The name of the warehouse file, {creds.database!r}, may have letters,"
                " digits, blanks, _ and - only. Change CLV_WAREHOUSE."
            )
        limit = str(config.get("memory_limit"))
        if not re.fullmatch(r"[0-9.]+ *[KMGT]i?B", limit, re.IGNORECASE):
            raise DbtRuntimeError(
                f"CLV_MEMORY_LIMIT is {limit!r}. Set it to an amount such as 4GB."
            )

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Give a connection that was opened the function."""
        conn.create_function("input_file_report", report, ["VARCHAR"], "VARCHAR")


def report(path: str) -> str:
    """Say what is wrong with a file.

    Returns
    -------
    str
        JSON: `fault`, a text or null, and `repeated`, the columns, in lower case, whose
        names stand in the header more than once. Of files in a bucket nothing is known.
    """
    found = {"fault": None, "repeated": []}
    if "://" not in path:
        try:
            if path.endswith(".parquet"):
                check_parquet(path)
            else:
                found["repeated"] = check_csv(path)
        except FaultError as fault:
            found["fault"] = str(fault)
        except gzip.BadGzipFile:
            found["fault"] = f"it is no gzip file, or damaged. {AGAIN}"
        except (EOFError, zlib.error):
            found["fault"] = f"it is cut off, or damaged. {AGAIN}"
        except OSError as error:
            found["fault"] = f"it can't be opened: {error.strerror}"
    return json.dumps(found)


def check_parquet(path: str) -> None:
    """Raise FaultError where the file is not one from its first byte to its last."""
    with open(path, "rb") as file:
        first = file.read(4)
        file.seek(-min(4, os.path.getsize(path)), os.SEEK_END)
        if first != b"PAR1":
            raise FaultError(f"it is no Parquet file. {AGAIN}")
        if file.read() != b"PAR1" or file.tell() < 12:
            raise FaultError(f"it is cut off: a Parquet file ends otherwise. {AGAIN}")


def check_csv(path: str) -> list[str]:
    """Raise FaultError where rows would be lost or can't be read.

    Returns
    -------
    list of str
        The columns whose names are there more than once, in lower case.
    """
    with opened(path) as file:
        has_quotes, last_line = check_bytes(file)
    with opened(path) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        header = next((line for line in lines if line.strip()), "")
        delimiter = max(DELIMITERS, key=header.count)
        # what DuckDB goes by, but for the faults that it lets pass
        form = {"delimiter": delimiter, "strict": True, "skipinitialspace": True}
        names = fields([header], form)
        if has_quotes:
            last_line = check_quotes(lines, form)
    is_open = last_line and last_line[-1] not in "\r\n"
    if is_open and len(fields([last_line], form)) < len(names):
        raise FaultError(f"it is cut off in the middle of its last row. {AGAIN}")
    counted = Counter(name.strip().lower() for name in names)
    return [name for name, count in counted.items() if count > 1]


def check_bytes(file: BinaryIO) -> tuple[bool, str]:
    """Raise FaultError where a file is not UTF-8 to its end, or a line has no end.

    Returns
    -------
    tuple of bool and str
        Whether there is any quote in it, and what stands behind the last line break.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines, has_quotes, line, line_break = 1, False, b"", b""
    while chunk := file.read(CHUNK):
        if not line_break:
            check_start(chunk)
            line_break = b"\n" if b"\n" in chunk else b"\r"
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            lines += error.object[: error.start].count(line_break)
            raise FaultError(
                f"line {lines} is not UTF-8. Save the file in that encoding; from"
                " Latin-1: iconv -f latin1 -t utf-8 <old file> > <new file>"
            ) from None
        has_quotes = has_quotes or b'"' in chunk
        lines += chunk.count(line_break)
        line = (line + chunk).rpartition(line_break)[2]
        if len(line) > LONGEST_ROW:
            raise FaultError(
                f"line {lines} is longer than {LONGEST_ROW // 1024**2} MB. Shorten it,"
                " or deliver the input as Parquet"
            )
    if decoder.getstate()[0]:
        raise FaultError(f"it is cut off in the middle of a letter. {AGAIN}")
    return has_quotes, line.decode()


def check_start(chunk: bytes) -> None:
    """Raise FaultError where a file begins as one in UTF-16 does."""
    has_mark = chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if has_mark or b"\0" in chunk[:4]:
        raise FaultError(
            "it is in UTF-16. Save it as UTF-8:"
            " iconv -f utf-16 -t utf-8 <old file> > <new file>"
        )


def check_quotes(lines: Iterator[str], form: dict) -> str:
    """Raise FaultError where a quoted value over several lines does not end.

    A line with an even number of quotes is taken to be whole: to look at each would
    take as long as to read the file.

    Returns
    -------
    str
        The last row, which may have several lines.
    """
    row, number = "", 1
    for line in lines:
        number += 1
        row = line
        if line.count('"') % 2:
            taken = []
            rest = (taken.append(x) or x for x in chain([line], lines))
            reader = csv.reader(rest, **form)
            try:
                next(reader)
            except csv.Error as error:
                # within one line it is the value as it stands that counts
                if len(taken) > 1 or "end of data" in str(error):
                    raise FaultError(
                        f"a quote in line {number} is not closed, so that lines that"
                        " follow would become part of a value. Close it, or double it"
                        ' ("") if it is part of the text'
                    ) from None
            row = "".join(taken)
            number += len(taken) - 1
    return row


def fields(lines: list[str], form: dict) -> list[str]:
    """Take a row apart."""
    try:
        return next(csv.reader(lines, **form), [])
    except csv.Error:
        return next(csv.reader(lines, **form | {"strict": False}))


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Open a file to read its bytes, unpacked where they are packed."""
    limit = csv.field_size_limit(LONGEST_ROW)
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
            yield file
    finally:
        csv.field_size_limit(limit)
