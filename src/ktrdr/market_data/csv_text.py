"""A CSV file as a table of text, with the line of every row; what is not CSV is named by its line."""

import csv
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import BinaryIO

import polars as pl

from ktrdr.errors import DataInvalid

LINE = "\0line"  # no header can hold a NUL
SEPARATORS = ",;\t|"
LONGEST_LINE = 65_536
ROWS_PER_REPORT = 20_000

Progress = Callable[[float], None]


def read_text_table(path: Path, on_progress: Progress) -> pl.DataFrame:
    """Return the columns of the header as stripped text, and `LINE` with the line each row began on.

    The separator is the one of `,`, `;`, tab and `|` that the header has most of; blank lines are skipped.
    `on_progress` is told the share of bytes read. Raises DataInvalid, naming the line, for anything else.
    """
    with path.open("rb") as file:
        lines = _lines(file)
        first = next(lines, "")
        separator = max(SEPARATORS, key=first.count)
        header = _header(first, separator)
        size = path.stat().st_size
        parts = []
        for rows, numbers in _batches(lines, len(header), separator):
            parts.append(_table(header, rows, numbers))
            on_progress(file.tell() / size)
    if not parts:
        raise DataInvalid("line 2: there is no bar after the header", hint="nothing was written")
    return pl.concat(parts)


def _lines(file: BinaryIO) -> Iterator[str]:
    for number in count(1):
        raw = file.readline(LONGEST_LINE + 1)
        if not raw:
            return
        if len(raw) > LONGEST_LINE:
            raise DataInvalid(
                f"line {number}: longer than {LONGEST_LINE:,} bytes", hint="is this a CSV file?"
            )
        if b"\0" in raw:
            raise DataInvalid(f"line {number}: a NUL byte", hint="is this a CSV file? save it as UTF-8 text")
        yield _decoded(raw, number)


def _decoded(raw: bytes, number: int) -> str:
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        where = f"line {number}, byte {error.start + 1}"
        raise DataInvalid(f"{where}: not UTF-8 text", hint="save the file as UTF-8") from None


def _header(line: str, separator: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in next(csv.reader([line], delimiter=separator), []))
    if not any(names):
        raise DataInvalid(
            "line 1: there is no header", hint="name the columns: time,open,high,low,close,volume"
        )
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise DataInvalid(f"line 1: column `{repeated}` is there twice", hint="rename one of them")
    return names


def _batches(lines: Iterator[str], width: int, separator: str) -> Iterator[tuple[list[list[str]], list[int]]]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, row in _rows(lines, separator):
        if len(row) != width:
            words = f"line {number}: {len(row)} fields where the header has {width}"
            raise DataInvalid(words, hint="nothing was written")
        rows.append(row)
        numbers.append(number)
        if len(rows) == ROWS_PER_REPORT:
            yield rows, numbers
            rows, numbers = [], []
    if rows:
        yield rows, numbers


def _rows(lines: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    number = 2
    try:
        for row in reader:
            if row:
                yield number, row
            number = reader.line_num + 2
    except csv.Error as error:
        raise DataInvalid(f"line {number}: {error}", hint="are the quotes right?") from None


def _table(header: Sequence[str], rows: list[list[str]], numbers: list[int]) -> pl.DataFrame:
    text = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    return text.with_columns(pl.all().str.strip_chars(), pl.Series(LINE, numbers))
