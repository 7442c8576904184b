"""What a load has to ask for: interval arithmetic on what is known, cut to what one request may ask."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.series_meta import Series, SeriesMeta
from ktrdr.market_data.store import BarStore

Mode = Literal["local", "tail", "backfill", "full"]
NEIGHBOURS = 14  # how many bars away the neighbour of a chunk may be
LONGEST_CLOSURE = timedelta(days=5)  # or how long a market may have been closed in between
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One request: what is asked for, which is what is wanted and a stored bar at its sides."""

    wanted: Interval
    request: Interval


def missing(mode: Mode, asked: Interval, known: SeriesMeta) -> Intervals:
    """Return what a mode has to fetch, so that a repeated load fetches nothing."""
    covered = list(known.covered)
    wanted = {
        "local": [asked],
        "full": [asked],
        "tail": _between(covered[-1].end if covered else asked.start, asked.end),
        "backfill": _between(asked.start, covered[0].start if covered else asked.end),
    }[mode]
    return Intervals(wanted).subtract(known.known)


def next_chunk(store: BarStore, series: Series, part: Interval, longest: timedelta) -> Chunk:
    """Return a first request for a missing part, not longer than `longest`.

    It begins where bars are stored close by: their last one before the part, else their first one after it,
    is asked for again, and must come out the same. Where both fit into one request, both are.
    """
    before, after = _before(store, series, part.start), _after(store, series, part.end)
    begin = before if before + longest > part.start else part.start
    back = after - MOMENT - longest + timedelta(seconds=TIMEFRAME_SECONDS[series.timeframe])
    if begin == part.start and after > part.end and part.start < back < part.end:
        return Chunk(Interval(back, part.end), Interval(back, after))
    end = min(part.end, begin + longest)
    fits = end == part.end and after - begin <= longest
    return Chunk(Interval(part.start, end), Interval(begin, after if fits else end))


def within_reach(chunk: Chunk, reach: Intervals | None) -> Chunk:
    """Return the chunk without the stored bars at its sides that the source cannot be asked for any more."""
    if reach is None:
        return chunk
    around = next(each for each in reach if each.start <= chunk.wanted.start < each.end)
    begin = chunk.request.start if chunk.request.start >= around.start else chunk.wanted.start
    end = chunk.request.end if chunk.request.end <= around.end else chunk.wanted.end
    return Chunk(chunk.wanted, Interval(begin, end))


def _before(store: BarStore, series: Series, moment: datetime) -> datetime:
    near = _near(store, series, Interval(moment - _reach(series), moment))
    return near[-1] if near else moment


def _after(store: BarStore, series: Series, moment: datetime) -> datetime:
    near = _near(store, series, Interval(moment, moment + _reach(series)))
    return near[0] + MOMENT if near else moment


def _near(store: BarStore, series: Series, within: Interval) -> list[datetime]:
    return store.read(series, within)["time"].to_list() if store.has(series) else []


def _reach(series: Series) -> timedelta:
    return max(NEIGHBOURS * timedelta(seconds=TIMEFRAME_SECONDS[series.timeframe]), LONGEST_CLOSURE)


def _between(start: datetime, end: datetime) -> list[Interval]:
    return [Interval(start, end)] if start < end else []
