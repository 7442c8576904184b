"""In which of several ways numbers and days of a file are written: what one column shows holds for all of it.

What nothing shows is asked for; it is never guessed.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import polars as pl

from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.import_options import LINE, ImportOptions
from ktrdr.market_data.importing.asking import Asks
from ktrdr.market_data.importing.values import numbers
from ktrdr.market_data.importing.values.numbers import NumberWriting
from ktrdr.market_data.importing.values.time_layouts import layout_of, month_first, python_layout

DAY_OR_MONTH = r"^\s*(\d{1,2})[/-](\d{1,2})[/-]\d{4}"
TEXTS = (*PRICES, "volume")


class Undecided(Exception):
    """Something is written that has to be looked at in the whole file before it can be read."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How numbers are written, and whether days come before months in 1/2/2024; None where nobody knows."""

    numbers: NumberWriting | None = None
    is_day_first: bool | None = None


class Seen(NamedTuple):
    """A value, and where it stands."""

    line: int
    column: str
    text: str


@dataclass(slots=True)
class Survey:
    """Collects, column by column, the first value that shows each way of writing.

    `noun` is what lines are called, `columns` are the names of the columns the fields are read from.
    """

    noun: str
    columns: dict[str, str]
    options: ImportOptions
    _seen: dict[str, Seen] = field(default_factory=dict)

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows with `LINE`, whose numbers are text."""
        for name in TEXTS:
            if name in rows.columns and rows[name].dtype == pl.String:
                text = rows[name].str.strip_chars()
                self._note("comma", name, rows, text, numbers.shows_decimal_comma(text))
                self._note("point", name, rows, text, numbers.shows_decimal_point(text))
                self._note("either", name, rows, text, numbers.could_be_both(text))
        if rows["time"].dtype == pl.String and self.options.time_format is None:
            self._note_days(rows)

    def decided(self) -> Writing:
        """Return what the file shows; raises DataInvalid, with the options that decide, if it does not."""
        given = given_writing(self.options)
        return Writing(given.numbers or self._numbers(), self._is_day_first())

    def _note_days(self, rows: pl.DataFrame) -> None:
        text = rows["time"]
        first, second = (
            text.str.extract(DAY_OR_MONTH, group).cast(pl.Int64, strict=False) for group in (1, 2)
        )
        self._note("day first", "time", rows, text, first > 12)
        self._note("month first", "time", rows, text, second > 12)
        self._note("day or month", "time", rows, text, first.is_not_null())

    def _note(self, what: str, name: str, rows: pl.DataFrame, text: pl.Series, shows: pl.Series) -> None:
        if what not in self._seen and shows.any():
            place = shows.fill_null(False).arg_max() or 0
            self._seen[what] = Seen(int(rows[LINE][place]), self.columns[name], str(text[place]))

    def _numbers(self) -> NumberWriting:
        comma, point, either = (self._seen.get(each) for each in ("comma", "point", "either"))
        if comma is not None and point is not None:
            words = f"{self._where(comma)} begins its decimals with a comma, `{point.text}` with a point"
            raise Asks(words, {"thousands": ","}, "or --decimal-comma; the others are wrong then")
        if either is not None and comma is None and point is None:
            words = f"{self._where(either)} could be a number of thousands or have decimals"
            raise Asks(words, {"thousands": ","}, "or --decimal-comma if its comma begins decimals")
        return NumberWriting("," if comma is not None else ".")

    def _is_day_first(self) -> bool | None:
        day, month = self._seen.get("day first"), self._seen.get("month first")
        doubtful = self._seen.get("day or month")
        if doubtful is None or (day is None) != (month is None):
            return None if doubtful is None else day is not None
        words = f"{self._where(day or doubtful)} has its day first or its month"
        words += (
            ", and no other one shows which"
            if day is None
            else f", and `{(month or doubtful).text}` the other"
        )
        layout = _layout(doubtful.text)
        other = month_first(layout)
        if "%p" in layout:  # clocks of twelve hours are mostly beside months that come first
            layout, other = other, layout
        raise Asks(words, {"time_format": layout}, f"or {other}")

    def _where(self, seen: Seen) -> str:
        return f"{self.noun} {seen.line}: column `{seen.column}`: `{seen.text[:40]}`"


def given_writing(options: ImportOptions) -> Writing:
    """Return what the options say of how a file is written."""
    if options.decimal_comma or options.thousands == ".":
        return Writing(NumberWriting(","))
    return Writing(NumberWriting(".") if options.thousands == "," else None)


def _layout(text: str) -> str:
    """Return the layout of a time with its day first, as an option names it."""
    wall, *zone = re.split(r"\s*([Zz]|[+-]\d{2}:?\d{2})$", " ".join(text.split()), maxsplit=1)
    found = layout_of(wall) or "%d/%m/%Y"
    return python_layout(found) + ("%z" if zone else "")
