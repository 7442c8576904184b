"""Loading: what is asked for and not there yet is fetched, checked and stored, a chunk at a time."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar

import polars as pl

from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.adjustment import refuse_another_adjustment, refuse_lost_neighbours
from ktrdr.market_data.bars import EARLIEST, PRICES, empty_bars, end_of_bar, end_of_day, midnight
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.calendars.table import open_calendar
from ktrdr.market_data.chunks import Chunk, Mode, missing, next_chunk, within_reach
from ktrdr.market_data.finished import finished_until
from ktrdr.market_data.holes import Holes, find_holes
from ktrdr.market_data.hours import within_hours
from ktrdr.market_data.ingest import clean
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.load_report import LoadCounts, LoadReport, nothing_there
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.quality import QualityReport, quality_report
from ktrdr.market_data.series_meta import DataDamaged, Series, SeriesMeta, Terms, refuse_other_terms
from ktrdr.market_data.store import BarStore
from ktrdr.strategies.bar_terms import Hours

COUNTED = ["time", *PRICES]

Notice = Callable[[float, int], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a series is wanted: dates are inclusive, None is as far as it goes."""

    mode: Mode = "full"
    start: date | None = None
    end: date | None = None
    hours: Hours = "all"


class SeriesLoader:
    """Loads one series from its provider.

    `notice(share, new_bars)` is called before each request, and may raise to stop: what was stored stays.
    `wait(seconds)` is called while somebody else loads the series.
    """

    def __init__(
        self,
        store: BarStore,
        provider: BarProvider,
        series: Series,
        wish: Wish,
        *,
        now: datetime,
        notice: Notice,
        wait: Callable[[float], None],
    ) -> None:
        self._store = store
        self._provider = provider
        self._series = series
        self._now = now
        self._notice = notice
        self._wait = wait
        self._wish = wish
        self._meta = SeriesMeta(series, Terms(provider.adjustment, hours=wish.hours))
        self._facts: SymbolFacts | None = None
        self.counts = LoadCounts()

    def look_up(self) -> None:
        """Ask the provider what it knows of the symbol, unless the store says it; raises as it does.

        What is damaged is mended by the load.
        """
        with suppress(DataDamaged):
            self._look_up()

    def _look_up(self) -> None:
        self._meta = self._known()
        is_enough = self._wish.mode == "tail" or self._wish.start or self._meta.begins
        if self._is_stored and is_enough:
            return
        if self._facts is None:
            self._facts = self._provider.look_up(self._series.symbol, self._series.timeframe)
        facts = self._facts
        calendar = self._meta.terms.calendar or facts.calendar
        terms = replace(self._meta.terms, calendar=calendar, made_of=facts.made_of)
        if self._is_stored:
            refuse_other_terms(self._meta, terms)
        self._meta = replace(self._meta, terms=terms, begins=facts.first)

    def load(self) -> LoadReport:
        """Do as `fill` does, and tell what is there of the range now."""
        return self._mended(lambda: self._report(self._fill()))

    def fill(self) -> None:
        """Fetch what the mode asks for, up to the last finished bar.

        A damaged file is set aside, and what it held is fetched again. Raises DataInvalid for bars that break
        a rule, for a provider whose adjustment changed, for other terms than those of the stored bars, and
        for a range without bars; what was stored before stays.
        """
        self._mended(self._fill)

    def _mended(self, work: Callable[[], T]) -> T:
        with self._store.loading(self._series, self._wait):
            try:
                return work()
            except DataDamaged:
                if self._is_local:
                    raise
                self._count(mended=self._store.drop_damaged(self._series))
            return work()

    def _fill(self) -> Interval:
        self._look_up()
        asked = self._asked()
        reach = self._provider.reach(self._series.symbol, self._series.timeframe)
        wanted = self._beginning(missing(self._wish.mode, asked, self._meta))
        self._fetch(wanted if reach is None else wanted.intersect(reach), reach)
        return asked

    def _beginning(self, wanted: Intervals) -> Intervals:
        """Return what is wanted from when on the provider has bars."""
        begins = self._meta.begins
        return wanted.subtract(Intervals([Interval(EARLIEST, begins)])) if begins else wanted

    def _fetch(self, wanted: Intervals, reach: Intervals | None) -> None:
        left, longest = wanted, self._provider.longest(self._series.timeframe)
        while left:
            self._notice(1 - left.length / wanted.length, self.counts.new_bars)
            chunk = next_chunk(self._store, self._series, next(iter(left)), longest)
            self._load_chunk(within_reach(chunk, reach))
            left = left.subtract(Intervals([chunk.wanted]))

    def _known(self) -> SeriesMeta:
        wanted = SeriesMeta(self._series, Terms(self._provider.adjustment, hours=self._wish.hours))
        if not self._is_stored:
            return wanted
        known = self._store.meta(self._series)
        refuse_other_terms(known, replace(wanted.terms, made_of=known.terms.made_of))
        return known

    @property
    def _is_local(self) -> bool:
        return self._wish.mode == "local"

    @property
    def _is_stored(self) -> bool:
        return self._store.has(self._series)

    def _calendar(self) -> TradingCalendar | None:
        """Return the series' calendar; None if it has none, it is not installed, or ends before today."""
        name = self._meta.terms.calendar
        try:
            calendar = open_calendar(name) if name else None
        except InputInvalid:
            return None
        is_known = calendar is None or calendar.known_until >= self._now.date()
        return calendar if is_known else None

    def _judge(self, times: pl.Series) -> Holes | None:
        """Return what is missing: as the provider knows, else by the calendar; None if neither says."""
        known = self._provider.holes(self._series.symbol, self._series.timeframe)
        calendar = self._calendar() if known is None else None
        return find_holes(times, self._series.timeframe, calendar) if calendar else known

    def _asked(self) -> Interval:
        start, end = self._wish.start, self._wish.end
        until = self._finished() if end is None else self._finished(end_of_day(end))
        begin = self._begin(until) if start is None else midnight(start)
        if begin >= until:
            raise DataInvalid(
                f"the range from {begin:%Y-%m-%d} to {end or self._now.date()} has no finished bar",
                hint="give an earlier --start or a later --end",
            )
        return Interval(begin, until)

    def _finished(self, latest: datetime | None = None) -> datetime:
        """Return up to when bars are over, or `latest` if that is earlier; a calendar only if it matters."""
        timeframe, now = self._series.timeframe, self._now - self._provider.delay
        rough = finished_until(now, timeframe, None)
        if self._provider.is_closed or (latest is not None and latest <= rough):
            return rough if latest is None else min(latest, rough)
        finished = finished_until(now, timeframe, self._calendar())
        return finished if latest is None else min(latest, finished)

    def _begin(self, until: datetime) -> datetime:
        first = self._meta.first
        if self._wish.mode == "tail" and first is not None:
            return min(first, until)
        return min((each for each in (self._meta.begins, first) if each is not None), default=until)

    def _load_chunk(self, chunk: Chunk) -> None:
        self._count(requests=1)
        fetched = self._provider.fetch(self._series.symbol, self._series.timeframe, chunk.request)
        bars, duplicates = clean(fetched)
        if self._is_stored:
            refuse_lost_neighbours(self._series, chunk, bars)
            refuse_another_adjustment(self._store, self._series, bars)
        inside = bars.filter(pl.col("time").is_between(chunk.wanted.start, chunk.wanted.end, "left"))
        kept = self._in_hours(inside)
        begins = None if self._is_local else self._meta.begins  # what is made here says nothing of that
        if known := self._settled(chunk.wanted, inside):
            self._store.extend(self._series, kept, known, self._meta.terms, begins=begins, judge=self._judge)
        self._count(new_bars=kept.height, duplicates=duplicates, outside_hours=inside.height - kept.height)

    def _settled(self, wanted: Interval, bars: pl.DataFrame) -> Interval | None:
        """Return what is known now of an interval: what is not there yet may still come for some time."""
        last = None if bars.is_empty() else end_of_bar(bars["time"][-1], self._series.timeframe)
        settled = self._now - self._provider.settling
        until = max(settled, last or wanted.start, wanted.start)
        return Interval(wanted.start, min(wanted.end, until)) if until > wanted.start else None

    def _in_hours(self, bars: pl.DataFrame) -> pl.DataFrame:
        if self._wish.hours == "all":
            return bars
        name = self._meta.terms.calendar
        if name is None:
            raise InputInvalid(
                f"the trading hours of {self._series.symbol} are not known", hint="leave --trading-hours out"
            )
        return within_hours(bars, self._series.timeframe, open_calendar(name), self._wish.hours)

    def _count(self, *, mended: tuple[str, ...] = (), **more: int) -> None:
        grown = {name: getattr(self.counts, name) + count for name, count in more.items()}
        self.counts = replace(self.counts, mended=self.counts.mended + mended, **grown)

    def _report(self, asked: Interval) -> LoadReport:
        scanned = self._store.scan(self._series, asked) if self._is_stored else ()
        bars = pl.concat([empty_bars().select(COUNTED), *(each.select(COUNTED) for each in scanned)])
        if bars.is_empty():
            raise nothing_there(self._known(), asked)
        meta = self._store.meta(self._series)
        if meta.holes is None and (found := self._judge(self._store.times(self._series))):
            self._store.keep_holes(meta, found)
        return LoadReport(self._series, meta.terms, self._quality(bars), self.counts)

    def _quality(self, bars: pl.DataFrame) -> QualityReport:
        try:
            return quality_report(bars, self._series.timeframe, self._calendar())
        except DataInvalid:  # the calendar does not reach back so far
            return quality_report(bars, self._series.timeframe, None)
