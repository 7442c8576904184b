"""Loading: what is asked for and not there yet is fetched, checked and stored, a chunk at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS, last_finished
from ktrdr.market_data.ingest import clean
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.base import BarProvider
from ktrdr.market_data.series_meta import Series, SeriesMeta
from ktrdr.market_data.store import BarStore

Mode = Literal["local", "tail", "backfill", "full"]
NEIGHBOURS = 14  # bars around a chunk among which the next stored one is looked for
SAME_CLOSE = 1e-6

Notice = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: bars of the range that are there now, how many are new, and what it took."""

    series: Series
    adjustment: str
    bars: int
    first: datetime
    last: datetime
    new_bars: int
    requests: int
    duplicates_dropped: int


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
        self._new_bars = self._duplicates = self._requests = 0

    def load(self, mode: Mode, start: date | None, end: date | None) -> LoadReport:
        """Fetch what the mode asks for, up to the last finished bar, and tell what is there now.

        Raises DataInvalid for bars that break a rule, for a provider whose adjustment changed, and for a
        range without bars.
        """
        with self._store.loading(self._series, self._wait):
            asked = self._asked(mode, start, end)
            chunks = list(_chunks(missing(mode, asked, self._known()), self._provider.longest))
            for number, chunk in enumerate(chunks):
                self._notice(number / len(chunks), self._new_bars)
                self._load_chunk(chunk)
            return self._report(asked, mode)

    def _known(self) -> SeriesMeta | None:
        return self._store.meta(self._series) if self._store.has(self._series) else None

    def _asked(self, mode: Mode, start: date | None, end: date | None) -> Interval:
        finished = last_finished(self._now, self._series.timeframe)
        until = finished if end is None else min(_midnight(end + timedelta(days=1)), finished)
        begin = self._first(mode) if start is None else _midnight(start)
        if begin >= until:
            raise DataInvalid(
                f"the range from {begin:%Y-%m-%d} to {end or self._now.date()} has no finished bar",
                hint="give an earlier --start or a later --end",
            )
        return Interval(begin, until)

    def _what_is_there(self, known: SeriesMeta | None, mode: Mode) -> str:
        if known and known.first and known.last:
            return f"there are {known.rows:,} from {known.first:%Y-%m-%d} to {known.last:%Y-%m-%d}"
        return _nothing_yet(mode, self._provider.name)

    def _first(self, mode: Mode) -> datetime:
        known = self._known()
        if mode == "local" and known and known.first:
            return known.first
        return self._provider.first(self._series.symbol, self._series.timeframe)

    def _load_chunk(self, chunk: Interval) -> None:
        widened = self._widened(chunk)
        self._requests += 1
        fetched = self._provider.fetch(self._series.symbol, self._series.timeframe, widened)
        bars, duplicates = clean(fetched)
        self._refuse_another_adjustment(bars)
        inside = bars.filter(pl.col("time").is_between(chunk.start, chunk.end, "left"))
        self._store.extend(self._series, inside, chunk, self._provider.adjustment)
        self._new_bars += inside.height
        self._duplicates += duplicates

    def _widened(self, chunk: Interval) -> Interval:
        """Return the chunk with the stored bar before and the one after it, which must come out the same."""
        if not self._store.has(self._series):
            return chunk
        around = NEIGHBOURS * timedelta(seconds=TIMEFRAME_SECONDS[self._series.timeframe])
        before = self._store.read(self._series, Interval(chunk.start - around, chunk.start))["time"]
        after = self._store.read(self._series, Interval(chunk.end, chunk.end + around))["time"]
        start = before[-1] if len(before) else chunk.start
        return Interval(start, after[0] + timedelta(microseconds=1) if len(after) else chunk.end)

    def _refuse_another_adjustment(self, bars: pl.DataFrame) -> None:
        if bars.is_empty() or not self._store.has(self._series):
            return
        span = Interval(bars["time"][0], bars["time"][-1] + timedelta(microseconds=1))
        both = self._store.read(self._series, span).join(bars, on="time", suffix="_now")
        changed = both.filter((pl.col("close_now") / pl.col("close") - 1).abs() > SAME_CLOSE)
        if changed.height:
            was, now = changed["close"][0], changed["close_now"][0]
            raise DataInvalid(
                f"the close of {self._series.symbol} on {changed['time'][0]:%Y-%m-%d} was {was:g} and is "
                f"{now:g} now: the provider adjusts its prices in another way",
                hint="bars of two adjustments are never mixed; nothing was changed",
            )

    def _report(self, asked: Interval, mode: Mode) -> LoadReport:
        known = self._known()
        bars = self._store.read(self._series, asked) if known else None
        if known is None or bars is None or bars.is_empty():
            raise DataInvalid(
                f"there are no {self._series.symbol} {self._series.timeframe} bars from "
                f"{asked.start:%Y-%m-%d} to {asked.end - timedelta(microseconds=1):%Y-%m-%d}",
                hint=self._what_is_there(known, mode),
            )
        return LoadReport(
            self._series,
            known.adjustment,
            bars.height,
            bars["time"][0],
            bars["time"][-1],
            self._new_bars,
            self._requests,
            self._duplicates,
        )


def _nothing_yet(mode: Mode, provider: str) -> str:
    return "`local` fetches nothing; use another mode" if mode == "local" else f"`{provider}` has none"


def missing(mode: Mode, asked: Interval, known: SeriesMeta | None) -> Intervals:
    """Return what a mode has to fetch: interval arithmetic alone, so that a repeated load fetches nothing."""
    covered = list(known.covered) if known else []
    wanted = {
        "local": [],
        "full": [asked],
        "tail": _between(covered[-1].end if covered else asked.start, asked.end),
        "backfill": _between(asked.start, covered[0].start if covered else asked.end),
    }[mode]
    return Intervals(wanted).subtract(known.known if known else Intervals())


def _between(start: datetime, end: datetime) -> list[Interval]:
    return [Interval(start, end)] if start < end else []


def _chunks(parts: Intervals, longest: timedelta) -> Iterator[Interval]:
    for part in parts:
        start = part.start
        while start < part.end:
            end = min(start + longest, part.end)
            yield Interval(start, end)
            start = end


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
