"""The exact reading of CSV: rows as text with the line each began on; what is no CSV is named by line."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.csv_blocks import LONGEST_LINE, LineBlocks
from ktrdr.market_data.import_offences import offences
from ktrdr.market_data.import_options import LINE
from ktrdr.market_data.importing.layout import RowShape

AS_UTF_8 = (
    "save the file as UTF-8; iconv -f WINDOWS-1252 -t UTF-8 FILE > FILE.csv does, if it is from Windows"
)


@dataclass(frozen=True, slots=True)
class TextRows:
    """Stripped text by place of the column with `LINE`, what has not as many fields, and the line after."""

    table: pl.DataFrame
    ragged: pl.DataFrame
    next_line: int


def decoded(raw: bytes, number: int) -> str:
    """Return a line as text; raises DataInvalid, naming it, if it is too long, has a NUL, or is no UTF-8."""
    if len(raw) > LONGEST_LINE:
        raise DataInvalid(f"line {number}: longer than {LONGEST_LINE:,} bytes", hint="is this a CSV file?")
    if b"\0" in raw:
        raise DataInvalid(f"line {number}: a NUL byte", hint="is this a CSV file? save it as UTF-8 text")
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        where = f"line {number}, byte {error.start + 1}"
        raise DataInvalid(f"{where}: not UTF-8 text", hint=AS_UTF_8) from None


def read_text_rows(block: bytes, number: int, blocks: LineBlocks, shape: RowShape) -> TextRows:
    """Read the wanted fields of a block whose first line is `number`; a quoted one may go on after it.

    Blank lines are skipped. Raises DataInvalid, naming the line, for what is not CSV.
    """
    lines = _Lines(block, number, blocks)
    kept: list[list[str]] = []
    begun: list[int] = []
    ragged: dict[int, int] = {}
    for line, row in _records(lines, shape.separator):
        if len(row) == shape.width:
            kept.append(row)
            begun.append(line)
        else:
            ragged[line] = len(row)
    words = [f"{count} fields where the header has {shape.width}" for count in ragged.values()]
    table = _table(kept, sorted(shape.places)).with_columns(pl.Series(LINE, begun, dtype=pl.Int64))
    return TextRows(table, offences(list(ragged), words), lines.number)


class _Lines:
    """The lines of a block, and those that follow it as long as somebody asks."""

    def __init__(self, block: bytes, number: int, blocks: LineBlocks) -> None:
        self.number = number
        self._left = [line + b"\n" for line in block.removesuffix(b"\n").split(b"\n")][::-1]
        self._blocks = blocks

    @property
    def is_over(self) -> bool:
        return not self._left

    def __iter__(self) -> Iterator[str]:
        while raw := self._left.pop() if self._left else self._blocks.next_line():
            self.number += 1
            yield decoded(raw, self.number - 1)


def _records(lines: _Lines, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield records with the line they begin on, until the block is used up."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while not lines.is_over:
        begun = lines.number
        try:
            row = next(reader, [])
        except csv.Error as error:
            raise DataInvalid(f"line {begun}: {error}", hint="are the quotes right?") from None
        if len(row) > 1 or any(map(str.strip, row)):
            yield begun, row


def _table(rows: list[list[str]], places: list[int]) -> pl.DataFrame:
    text = [pl.Series(str(place), [row[place] for row in rows], dtype=pl.String) for place in places]
    return pl.DataFrame(text).with_columns(pl.all().str.strip_chars())
