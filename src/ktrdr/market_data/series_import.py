"""Import of one series: on which terms bars are kept, and whether they fit a calendar and what is stored."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import polars as pl

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.holes import Holes, find_holes, nobody_knows
from ktrdr.market_data.hours import in_session
from ktrdr.market_data.ingest import FIRST_OFFENDERS
from ktrdr.market_data.joining import JoinCounts
from ktrdr.market_data.series_meta import DataDamaged, Series, SeriesMeta, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.strategies.bar_terms import Adjustment

FEWEST_OUTSIDE, MOST_OUTSIDE = 3, 0.01


@dataclass(frozen=True, slots=True)
class ImportManner:
    """How bars are put in: terms that are said (None: as the series has them), and what may happen to it.

    With `replace` they take the place of all stored bars; `outside` tells what becomes of bars in no session.
    """

    adjustment: Adjustment | None = None
    calendar: str | None = None
    replace: bool = False
    outside: Literal["refuse", "keep"] = "refuse"


class SeriesImport:
    """Puts the bars of one symbol in the store: `examine` them first, which changes nothing, then `keep`.

    Raises DataInvalid for terms that are not those of the stored bars.
    """

    def __init__(self, store: BarStore, series: Series, manner: ImportManner) -> None:
        self.series = series
        self._store = store
        self._manner = manner
        known = _known(store, series, manner)
        self.replaced = known.rows if known and manner.replace else 0
        self._stored = known.rows if known and not manner.replace else 0
        self.terms = _terms(series, known, manner)
        self._calendar = _opened(self.terms.calendar, is_said=manner.calendar is not None)
        self._outside = 0
        self._first_outside: list[datetime] = []
        self.counts = JoinCounts()

    @property
    def is_plain(self) -> bool:
        """Tell whether the bars have nothing that they could fail to fit."""
        return self._calendar is None and not self._stored

    @property
    def outside(self) -> int | None:
        """Return how many examined bars are in no session; None without a calendar."""
        return None if self._calendar is None else self._outside

    @property
    def total(self) -> int:
        """Return how many bars the series has with those that were examined."""
        return self._stored + self.counts.new

    def take(self, bars: int) -> None:
        """Count bars that need not be examined."""
        self.counts = JoinCounts(bars, new=bars)

    def examine(self, frames: Iterable[pl.DataFrame]) -> None:
        """Hold bars against the calendar and against what is stored.

        Raises DataInvalid for bars that differ from stored ones, and if more than 1 % and at least 3 are in
        no session, unless those are to be kept.
        """
        looked_at = map(self._held_against_calendar, frames)
        if self._stored:
            self.counts = self._store.compare(self.series, looked_at)
        else:
            self.take(sum(each.height for each in looked_at))
        self._refuse_outside()

    def keep(self, frames: Iterator[pl.DataFrame], wait: Callable[[float], None]) -> None:
        """Store the bars durably, or leave the series as it was."""
        judge = self._judge if self._calendar else nobody_knows
        if self._manner.replace:
            self._store.replace(self.series, frames, self.terms, wait, judge=judge)
        else:
            self.counts = self._store.add(self.series, frames, self.terms, wait, judge=judge)
            self._stored = self._store.meta(self.series).rows - self.counts.new

    def _held_against_calendar(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self._calendar is not None:
            times = frame["time"]
            outside = times.filter(~in_session(times, self.series.timeframe, self._calendar))
            self._outside += len(outside)
            self._first_outside += outside.head(FIRST_OFFENDERS - len(self._first_outside)).to_list()
        return frame

    def _refuse_outside(self) -> None:
        is_odd = self._outside >= FEWEST_OUTSIDE and self._outside > MOST_OUTSIDE * self.counts.bars
        if is_odd and self._manner.outside == "refuse":
            raise DataInvalid(
                f"{self._outside:,} of {self.counts.bars:,} bars of {self.series.symbol} "
                f"{self.series.timeframe} are in no session of `{self.terms.calendar}`",
                detail=[f"{each:%a %Y-%m-%d %H:%M} UTC" for each in self._first_outside],
                hint="nothing was written; are --calendar, --timeframe and --tz right? "
                "--outside keep takes the bars as they are",
            )

    def _judge(self, times: pl.Series) -> Holes | None:
        return find_holes(times, self.series.timeframe, self._calendar) if self._calendar else None


def known_calendar(store: BarStore, series: Series) -> TradingCalendar | None:
    """Return the calendar that a stored series has; None without one, and where it is not to be had."""
    with suppress(DataDamaged):
        if store.has(series):
            return _opened(store.meta(series).terms.calendar, is_said=False)
    return None


def _known(store: BarStore, series: Series, manner: ImportManner) -> SeriesMeta | None:
    """Return what is stored; a damaged sidecar is nothing that could be replaced, but no series to join."""
    if not store.has(series):
        return None
    if not manner.replace:
        return store.meta(series)
    with suppress(DataDamaged):
        return store.meta(series)
    return None


def _terms(series: Series, known: SeriesMeta | None, manner: ImportManner) -> Terms:
    """Return what is said, else as the stored bars have it; bars of two kinds are never joined."""
    if known is None:
        return Terms(manner.adjustment or "raw", manner.calendar)
    kept = known.terms
    said = Terms(manner.adjustment or kept.adjustment, manner.calendar or kept.calendar)
    if manner.replace:
        return said
    name = f"{series.symbol} {series.timeframe}"
    if kept.made_of is not None:
        raise _other(f"{name} was made of finer bars here")
    if said.adjustment != kept.adjustment:
        raise _other(f"{name} is kept as `{kept.adjustment}`, not as `{said.adjustment}`")
    if kept.calendar is not None and said.calendar != kept.calendar:
        raise _other(f"{name} is kept with the calendar `{kept.calendar}`, not with `{said.calendar}`")
    return replace(kept, calendar=said.calendar)


def _other(words: str) -> DataInvalid:
    return DataInvalid(words, hint="nothing was written; --replace puts the file in place of all of its bars")


def _opened(name: str | None, *, is_said: bool) -> TradingCalendar | None:
    """Return a calendar; None for one that only the stored bars speak of and that is not to be had here."""
    if name is None:
        return None
    try:
        return open_calendar(name)
    except InputInvalid:
        if is_said:
            raise
        return None
