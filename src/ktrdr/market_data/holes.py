"""Holes of a series: where a calendar expects bars that are not there, found once and kept beside the bars.

Whoever uses bars reads the column `missed`: how many bars are missing right before each. A calendar is asked
when bars are stored or checked, never when they are used; where none ever was, the length of a pause decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.expected import best_expected
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.strategies.bar_terms import MISSED

COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {"start": SCHEMA["time"], "missing": pl.Int64}
LONGEST_PAUSE_DAYS = {"1d": 7, "1w": 21}
LONGEST_PAUSE_DAYS_WITHIN_DAYS = 5  # a night, or a weekend of four days

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Holes:
    """What a calendar misses: `table` tells by `start`, the first missing bar, how many are `missing`."""

    calendar: str
    table: pl.DataFrame

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Holes) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.calendar, self.table.height))

    def within(self, span: Interval) -> "Holes":
        """Return those that begin in an interval."""
        return Holes(self.calendar, self.table.filter(_begins_in(span)))

    def put(self, span: Interval, others: "Holes") -> "Holes":
        """Return the holes with others in place of those that begin in an interval."""
        kept = self.table.filter(~_begins_in(span))
        return Holes(others.calendar, pl.concat([kept, others.within(span).table]).sort("start"))

    def before(self, times: pl.Series) -> Counts:
        """Return how many bars are missing right before each of some times [n]; 0 before the first."""
        counts = np.zeros(len(times) + 1, dtype=np.int64)
        places = times.search_sorted(self.table["start"], "left").to_numpy()
        np.add.at(counts, places, self.table["missing"].to_numpy())
        counts[0] = 0
        return counts[: len(times)]

    def to_json(self) -> dict[str, object]:
        """Return the calendar, and columns of numbers: microseconds since 1970, and bars."""
        start = self.table["start"].to_physical().to_list()
        return {"calendar": self.calendar, "start": start, "missing": self.table["missing"].to_list()}

    @classmethod
    def from_json(cls, shape: Mapping[str, Any]) -> "Holes":
        """Read what `to_json` wrote; raises an error of numbers or of tables for anything else."""
        start = pl.Series("start", shape["start"], pl.Int64).cast(SCHEMA["time"])
        return cls(
            str(shape["calendar"]), pl.DataFrame([start, pl.Series("missing", shape["missing"], pl.Int64)])
        )


Judge = Callable[[pl.Series], Holes | None]


def nobody_knows(times: pl.Series) -> None:  # whatever the times are
    """Judge as one without a calendar does: not at all."""


def no_holes(calendar: str) -> Holes:
    """Return that nothing is missing."""
    return Holes(calendar, pl.DataFrame(schema=COLUMNS))


def find_holes(times: pl.Series, timeframe: str, calendar: TradingCalendar) -> Holes | None:
    """Return what a calendar misses between some times [n] in order; None where it does not reach."""
    if times.is_empty():
        return no_holes(calendar.name)
    try:
        expected = best_expected(times, calendar, timeframe)
    except DataInvalid:
        return None
    return holes_between(times, expected, calendar.name)


def holes_between(times: pl.Series, expected: pl.Series, calendar: str) -> Holes:
    """Return where expected times, both [n] in order, are missing between others."""
    begin = expected.search_sorted(times[:-1], "right")
    missing = expected.search_sorted(times[1:], "left").cast(pl.Int64) - begin.cast(pl.Int64)
    found = pl.DataFrame({"begin": begin, "missing": missing}).filter(pl.col("missing") > 0)
    return Holes(calendar, pl.DataFrame([expected.gather(found["begin"]).alias("start"), found["missing"]]))


def bridged(covered: Intervals, holes: Holes | None) -> Intervals:
    """Return what is covered without the pauses in which a calendar misses nothing."""
    if holes is None:
        return covered
    parts = list(covered)
    pauses = [Interval(before.end, after.start) for before, after in pairwise(parts)]
    return covered.union(Intervals(each for each in pauses if holes.within(each).table.is_empty()))


def with_missed(bars: pl.DataFrame, timeframe: str, holes: Holes | None = None) -> pl.DataFrame:
    """Return bars with the column `missed`; bars that have it already keep it."""
    if MISSED in bars.columns:
        return bars
    counts = pause_counts(bars["time"], timeframe) if holes is None else holes.before(bars["time"])
    return bars.with_columns(pl.Series(MISSED, counts, pl.Int64))


def reaching_back(missed: Counts, rows: int) -> npt.NDArray[np.bool_]:
    """Return which bars [n] have a hole between them and the bar so many rows before, or no such bar."""
    passed = np.cumsum(missed)
    reaches = np.ones(len(missed), dtype=np.bool_)
    reaches[rows:] = passed[rows:] != passed[: len(missed) - rows]
    return reaches


def pause_counts(times: pl.Series, timeframe: str) -> Counts:
    """Return for how many bars there was time before each time [n], where the pause is longer than any rest.

    That is a pause of more than 7 days between daily bars, 21 between weekly ones, and 5 below a day.
    """
    opened = times.to_physical().to_numpy()
    longest = timedelta(days=LONGEST_PAUSE_DAYS.get(timeframe, LONGEST_PAUSE_DAYS_WITHIN_DAYS))
    length = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    pauses = np.diff(opened, prepend=opened[:1])
    microsecond = timedelta(microseconds=1)
    return np.where(pauses > longest // microsecond, pauses // (length // microsecond) - 1, 0).astype(
        np.int64
    )


def _begins_in(span: Interval) -> pl.Expr:
    return (pl.col("start") >= span.start) & (pl.col("start") < span.end)
