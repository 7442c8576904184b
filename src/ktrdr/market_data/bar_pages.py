"""Parts of a series to look at: its newest bars, or all of them in a few groups, in bounded memory."""

from datetime import timedelta

import polars as pl

from ktrdr.errors import NotFound
from ktrdr.market_data.bars import EARLIEST, LATEST, SCHEMA
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.series_meta import Series, SeriesMeta
from ktrdr.market_data.store import BarStore

A_MOMENT = timedelta(microseconds=1)  # the precision of times


def newest_bars(store: BarStore, series: Series, within: Interval, limit: int) -> pl.DataFrame:
    """Return the newest `limit` bars of an interval; only the files that hold them are read.

    Raises NotFound, naming what there is, for an interval without bars.
    """
    meta = store.meta(series)
    bars = store.read(series, _reaching_back(meta, within, limit)).tail(limit)
    if bars.is_empty():
        raise nothing_within(meta, within)
    return bars


def grouped_bars(store: BarStore, series: Series, within: Interval, groups: int) -> pl.DataFrame:
    """Return an interval as at most `groups` bars of equally many each, a file at a time.

    A group has the time and open of its first bar, the highest high, the lowest low, the last close, and the
    sum of the volumes, null where one of them is unknown. Raises NotFound for an interval without bars.
    """
    meta = store.meta(series)
    total = _count(store, meta, within)
    if not total:
        raise nothing_within(meta, within)
    parts, seen = [], 0
    for bars in store.scan(series, within):
        place = (pl.int_range(seen, seen + bars.height) * min(groups, total) // total).alias("group")
        parts.append(_grouped(bars.with_columns(place)))
        seen += bars.height
    return _grouped(pl.concat(parts)).select(list(SCHEMA))


def nothing_within(meta: SeriesMeta, within: Interval) -> NotFound:
    """Return the error of an interval without bars; it names what there is."""
    name = f"{meta.series.symbol} {meta.series.timeframe}"
    if meta.first is None or meta.last is None:
        return NotFound(f"{name} has no bars: its provider had none", hint="load other dates")
    start = f" from {within.start:%Y-%m-%d}" if within.start > EARLIEST else ""
    end = f" to {within.end - A_MOMENT:%Y-%m-%d}" if within.end < LATEST else ""
    return NotFound(
        f"there are no {name} bars{start}{end}",
        hint=f"there are {meta.rows:,} from {meta.first:%Y-%m-%d} to {meta.last:%Y-%m-%d}",
    )


def _reaching_back(meta: SeriesMeta, within: Interval, limit: int) -> Interval:
    """Return the end of an interval with so many bars or more, by what each file is known to hold."""
    rows = 0
    for file in sorted(meta.files.values(), key=lambda each: each.first, reverse=True):
        if file.first >= within.end:
            continue
        if file.last < within.end:
            rows += file.rows
        if rows >= limit:
            return Interval(max(file.first, within.start), within.end)
    return within


def _count(store: BarStore, meta: SeriesMeta, within: Interval) -> int:
    """Return how many bars an interval has; files that are wholly inside need not be read for it."""
    total = 0
    for file in meta.files.values():
        part = Interval(max(file.first, within.start), min(file.last + A_MOMENT, within.end))
        if (part.start, part.end) == (file.first, file.last + A_MOMENT):
            total += file.rows
        elif part.start < part.end:
            total += sum(bars.height for bars in store.scan(meta.series, part))
    return total


def _grouped(bars: pl.DataFrame) -> pl.DataFrame:
    volume = pl.when(pl.col("volume").null_count() == 0).then(pl.col("volume").sum())
    return bars.group_by("group", maintain_order=True).agg(
        pl.col("time", "open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        volume.alias("volume"),
    )
