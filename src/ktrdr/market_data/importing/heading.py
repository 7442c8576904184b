"""The lines before the first bar of a CSV file: what is skipped, what separates columns, what names them."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import ImportOptions, refuse_too_many_columns
from ktrdr.market_data.importing.asking import Asks
from ktrdr.market_data.importing.columns import Columns, joined_names
from ktrdr.market_data.importing.layout import Layout, flat_layout, levelled_layout
from ktrdr.market_data.importing.levels import Levels, find_levels, is_label
from ktrdr.market_data.importing.values.cells import is_bar, usual_order

SEPARATORS = ";\t|,"
SAYS_SEPARATOR = re.compile(r'"?sep=([;\t|,])"?\s*$', re.IGNORECASE)
FEWEST_COLUMNS = 4
NO_HEADER = "name the columns: time,open,high,low,close,volume"


@dataclass(frozen=True, slots=True)
class Heading:
    """How many lines come before the first row, what separates columns, and where in a row the fields are.

    `skipped` are lines before the header that nobody said to skip.
    """

    lines: int
    separator: str
    layout: Layout
    skipped: tuple[str, ...] = ()


def find_heading(lines: Sequence[str], options: ImportOptions) -> Heading:
    """Return the heading of a file by its first lines; raises DataInvalid if they cannot be understood.

    A line before the header that is neither a header nor a bar is skipped; more than one have to be said.
    """
    head = _Head(lines, options)
    if head.start >= len(lines):
        raise DataInvalid(f"line {head.start + 1}: there is no header", hint=NO_HEADER)
    if options.no_header:
        return head.positions(head.start)
    if is_bar(head.cells(head.start)):
        raise head.doubt(head.start)
    try:
        return head.names(head.start)
    except DataInvalid:
        found = head.later() if options.skip_lines is None else None
        if found is None:
            raise
        return found


def find_separator(lines: Sequence[str]) -> str:
    """Return the one of `;`, tab, `|` and `,` that cuts the first lines alike, else the first has most of."""
    alike = [
        each
        for each in SEPARATORS
        if len({len(_cells(line, each)) for line in lines[:4] if line.strip()}) == 1
    ]
    return max([each for each in alike if each in lines[0]] or SEPARATORS, key=lines[0].count)


class _Head:
    """The first lines of a file, each of which could be the header."""

    def __init__(self, lines: Sequence[str], options: ImportOptions) -> None:
        self._lines = lines
        self._options = options
        self._separator = options.separator
        self.start = options.skip_lines if options.skip_lines is not None else self._written(0)
        self._said: tuple[str, ...] = ()
        if options.skip_lines is None and (said := SAYS_SEPARATOR.match(self._line(self.start))):
            self._separator = self._separator or said.group(1)
            self._said = (self._line(self.start).strip(),)
            self.start = self._written(self.start + 1)

    def separator(self, number: int) -> str:
        """Return what separates the columns of a line and those after it."""
        return self._separator or find_separator(self._lines[number:])

    def cells(self, number: int) -> list[str]:
        """Return the cells of a line, none if it cannot be cut."""
        return _cells(self._line(number), self.separator(number)) if number < len(self._lines) else []

    def positions(self, number: int) -> Heading:
        """Return the heading of a file whose columns have numbers for names, from 1."""
        cells = self.cells(number)
        refuse_too_many_columns(len(cells))
        names = [str(place + 1) for place in range(len(cells))]
        layout = flat_layout(Columns(names, cells, f"line {number + 1}: "), self._options)
        return Heading(number, self.separator(number), layout, self._said)

    def names(self, number: int) -> Heading:
        """Return the heading that has the names of the columns in a line, or in two."""
        where = f"line {number + 1}: "
        names = _names(self._line(number), self.separator(number), where)
        after = self._written(number + 1)
        if after >= len(self._lines):
            raise DataInvalid(
                f"line {number + 2}: there is no bar after the header", hint="nothing was written"
            )
        if len(row := self.cells(after)) == len(names) + 1 and not row[-1]:
            names.append("")  # every row ends with a separator, and the header does not
        levels = find_levels(names, row)
        if levels is not None:
            return self._levelled(levels, number, after)
        layout = flat_layout(Columns(names, row, where), self._options)
        return Heading(number + 1, self.separator(number), layout, self._said)

    def later(self) -> Heading | None:
        """Return the heading that a later line begins; raises DataInvalid if that has to be said."""
        for number in range(self.start + 1, len(self._lines)):
            try:
                found = self.names(number)
            except Asks as error:
                if len(self.cells(number)) >= FEWEST_COLUMNS > len(self.cells(self.start)):
                    raise self._skipping(error, number) from None
                continue
            except DataInvalid:
                continue
            return self._skipped(found, number)
        return None

    def doubt(self, number: int) -> Asks:
        """Return the refusal of a line of numbers that stands where the names of columns should."""
        cells = self.cells(number)
        names = [str(place + 1) for place in range(len(cells))]
        usual = {field: joined_names(places, names) for field, places in usual_order(cells).items()}
        words = f"line {number + 1}: these are numbers and no names of columns"
        order = (
            f"if its columns are {', '.join(usual)}"
            if usual
            else "with --map time=1 and so on for the columns"
        )
        return Asks(words, {"no_header": True, **({"columns": usual} if usual else {})}, order)

    def _levelled(self, levels: Levels, number: int, after: int) -> Heading:
        begun = self._written(after + 1)
        if is_label(self.cells(begun)):
            after, begun = begun, self._written(begun + 1)
        layout = levelled_layout(levels, self.cells(begun), self._options, f"line {number + 1}: ")
        return Heading(after + 1, self.separator(number), layout, self._said)

    def _skipped(self, found: Heading, number: int) -> Heading:
        before = [line.strip() for line in self._lines[self.start : number] if line.strip()]
        if len(before) > 1:
            raise Asks(
                f"line {self.start + 1}: this is no header, but line {number + 1} is", {"skip_lines": number}
            )
        return replace(found, skipped=(*self._said, *before))

    def _skipping(self, error: Asks, number: int) -> Asks:
        changes: dict[str, Any] = {"skip_lines": number, **error.changes}
        return Asks(error.message, changes, error.note)

    def _line(self, number: int) -> str:
        return self._lines[number] if number < len(self._lines) else ""

    def _written(self, number: int) -> int:
        """Return the first line from there on that is not blank."""
        return next(
            (each for each in range(number, len(self._lines)) if self._lines[each].strip()), len(self._lines)
        )


def _names(line: str, separator: str, where: str) -> list[str]:
    try:
        names = _cut(line, separator)
    except csv.Error as error:
        raise DataInvalid(f"{where}{error}", hint="are the quotes right?") from None
    if not any(names):
        raise DataInvalid(f"{where}there is no header", hint=NO_HEADER)
    refuse_too_many_columns(len(names))
    return names


def _cells(line: str, separator: str) -> list[str]:
    try:
        return _cut(line, separator)
    except csv.Error:
        return []


def _cut(line: str, separator: str) -> list[str]:
    rows: Iterator[list[str]] = csv.reader([line], delimiter=separator, strict=True)
    return [cell.strip() for cell in next(rows, [])]
