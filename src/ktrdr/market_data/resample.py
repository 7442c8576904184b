"""Coarser bars from finer ones, session by session; a bar that would be incomplete is left out."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from ktrdr.errors import InputInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS, empty_bars
from ktrdr.market_data.calendars.base import TradingCalendar
from ktrdr.market_data.expected import BY_DAY, Grid, expected_bars, grid_of
from ktrdr.market_data.intervals import Interval

AROUND = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Resampled:
    """Complete coarser bars, and how many were left out because a finer bar is missing."""

    bars: pl.DataFrame
    incomplete: int


def resample(bars: pl.DataFrame, source: str, target: str, calendar: TradingCalendar) -> Resampled:
    """Return the bars of timeframe `target` that bars of timeframe `source`, in order of time, make.

    Below a day they begin with each open of trading, also after a break, and the last is cut short by the
    close; bars on another grid make coarser ones on that grid, so that none has anything of the next in it.
    A day carries its session's date, a week its Monday, both at 00:00 UTC. A bar is complete if every finer
    bar is there that the calendar expects in it, and none of them reaches into another session's. Bars that
    the calendar does not expect do not count. Raises InputInvalid if `target` is not coarser.
    """
    if TIMEFRAME_SECONDS[target] <= TIMEFRAME_SECONDS[source]:
        raise InputInvalid(f"{target} bars cannot be made of {source} bars", hint="give a longer --timeframe")
    if bars.is_empty():
        return Resampled(empty_bars(), 0)
    wanted = _wanted(bars["time"], source, target, calendar)
    found = wanted.join(bars, on="time", how="left", maintain_order="left")
    made = found.group_by("bucket", maintain_order=True).agg(*_parts())
    whole = made.filter("is_whole").rename({"bucket": "time"}).select(list(SCHEMA))
    return Resampled(whole.sort("time"), made.height - whole.height)


def _parts() -> list[pl.Expr]:
    return [
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.when(pl.col("volume").is_not_null().all()).then(pl.col("volume").sum()).alias("volume"),
        (pl.col("close").is_not_null() & ~pl.col("is_shared")).all().alias("is_whole"),
    ]


def _wanted(times: pl.Series, source: str, target: str, calendar: TradingCalendar) -> pl.DataFrame:
    """Return the finer bars of every coarser one that some times reach: `time`, `bucket`, `is_shared`."""
    grid = grid_of(times, calendar, source)
    around = Interval(times[0] - AROUND, times[-1] + AROUND)
    expected = expected_bars(calendar, source, around, grid).select("time", bucket=_bucket(target, grid))
    wanted = expected.unique(maintain_order=True)
    reached = wanted.filter(pl.col("time").is_between(times[0], times[-1]))["bucket"].unique()
    is_shared = pl.col("time").is_duplicated()
    return wanted.with_columns(is_shared=is_shared).filter(pl.col("bucket").is_in(reached.implode()))


def _bucket(target: str, grid: Grid) -> pl.Expr:
    """Return when the coarser bar opens that an expected bar is in."""
    if target in BY_DAY:
        return pl.col("date").dt.truncate(target).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return grid.begin("time", timedelta(seconds=TIMEFRAME_SECONDS[target]))
