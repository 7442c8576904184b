"""What is stored already as a provider: coarser bars are made from finer ones, and nothing is fetched."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS, midnight
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.expected import BY_DAY
from ktrdr.market_data.finished import finished_until, last_close
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.market_data.resample import resample
from ktrdr.market_data.series_meta import Series, SeriesMeta, Terms
from ktrdr.market_data.store import BarStore
from ktrdr.strategies.bar_terms import Adjustment

MOST_BARS = 500_000
AROUND = timedelta(days=8)  # a weekly bar needs bars of a week, and a session may begin the evening before


class StoredBars(BarProvider):
    """The bars of one source that are here; coarser bars that could not be made whole are left out."""

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("raw", "split", "split_dividend")

    def __init__(self, name: str, terms: Terms, store: BarStore) -> None:
        super().__init__(name, ProviderSettings(), terms.adjustment)
        self._hours = terms.hours
        self._store = store

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return from when on there are bars, or finer ones that make some, and what they are made of."""
        kept, finer = self._kept(symbol, timeframe), self.finest(symbol, timeframe)
        if kept and kept.first and not (finer and kept.terms.made_of):
            return SymbolFacts(kept.first, kept.terms.calendar, kept.terms.made_of)
        whole = next(iter(self.reach(symbol, timeframe)), None)
        if finer is None or whole is None:
            raise self._nothing_to_make(symbol, timeframe)
        return SymbolFacts(whole.start, finer.terms.calendar, finer.origin)

    def _kept(self, symbol: str, timeframe: str) -> SeriesMeta | None:
        series = Series(self.name, symbol, timeframe)
        return self._store.meta(series) if self._store.has(series) else None

    def _nothing_to_make(self, symbol: str, timeframe: str) -> DataInvalid:
        finer = self.finest(symbol, timeframe)
        if finer and finer.terms.calendar is None:
            return DataInvalid(
                f"when {symbol} trades is not known, so that its bars cannot be put together",
                hint="import them again and say it with --calendar, as XNYS, fx or 24/7",
            )
        return DataInvalid(
            f"there are no {symbol} {timeframe} bars of `{self.name}`, nor finer ones to make them of",
            hint="`local` fetches nothing; use another mode",
        )

    def longest(self, timeframe: str) -> timedelta:  # noqa: ARG002  # the finest there can be decides
        """Return as long as half a million bars of the finest timeframe take."""
        return timedelta(seconds=MOST_BARS * min(TIMEFRAME_SECONDS.values()))

    def reach(self, symbol: str, timeframe: str) -> Intervals:
        """Return where whole coarser bars can be made; nowhere without finer ones, or beside others."""
        kept, finer = self._kept(symbol, timeframe), self.finest(symbol, timeframe)
        if finer is None or finer.terms.calendar is None or (kept and kept.terms.made_of is None):
            return Intervals()
        calendar = open_calendar(finer.terms.calendar)
        spans = (
            (_begin_of_whole(each.start, timeframe, calendar), _end_of_whole(each.end, timeframe, calendar))
            for each in finer.covered
        )
        return Intervals(Interval(start, end) for start, end in spans if start < end)

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the coarser bars that open within an interval."""
        finer = self.finest(symbol, timeframe)
        if finer is None or finer.terms.calendar is None:
            raise self._nothing_to_make(symbol, timeframe)
        around = Interval(within.start - AROUND, within.end + AROUND)
        made = resample(
            self._store.read(finer.series, around),
            finer.series.timeframe,
            timeframe,
            open_calendar(finer.terms.calendar),
        )
        return made.bars.filter(pl.col("time").is_between(within.start, within.end, "left"))

    def finest(self, symbol: str, timeframe: str) -> SeriesMeta | None:
        """Return the finest series that bars can be made of: adjusted alike, and of the same hours."""
        finer = finer_series(self._store, self.name, symbol, timeframe)
        return next((each for each in finer if self._fits(each, timeframe)), None)

    def _fits(self, finer: SeriesMeta, timeframe: str) -> bool:
        is_alike = timeframe in BY_DAY or finer.terms.hours in {"all", self._hours}
        return finer.terms.adjustment == self.adjustment and is_alike


def finer_series(store: BarStore, name: str, symbol: str, timeframe: str) -> Iterator[SeriesMeta]:
    """Yield what is stored of a source in finer timeframes, the finest first."""
    for finer, seconds in TIMEFRAME_SECONDS.items():
        series = Series(name, symbol, finer)
        if seconds < TIMEFRAME_SECONDS[timeframe] and store.has(series):
            yield store.meta(series)


def _begin_of_whole(start: datetime, timeframe: str, calendar: TradingCalendar) -> datetime:
    """Return from when on coarser bars are whole that finer ones from `start` on make."""
    if timeframe not in BY_DAY:
        return start
    sessions = calendar.around(start.date(), start.date(), AROUND)
    bucket = pl.col("date").dt.truncate(timeframe).alias("bucket")
    begun = sessions.filter(pl.col("open") < start).select(bucket)["bucket"]
    whole = sessions.filter(pl.col("open") >= start).select(bucket)["bucket"]
    return midnight(min(set(whole) - set(begun), default=start.date()))


def _end_of_whole(end: datetime, timeframe: str, calendar: TradingCalendar) -> datetime:
    """Return up to when finer bars up to `end` make whole coarser ones; a close cuts the last one short."""
    finished = finished_until(end, timeframe, calendar)
    return finished if timeframe in BY_DAY else max(finished, last_close(end, calendar))
