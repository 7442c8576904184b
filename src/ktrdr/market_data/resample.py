"""Coarser bars from finer ones, session by session; a bar that would be incomplete is left out."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from ktrdr.errors import InputInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS, empty_bars
from ktrdr.market_data.calendars.base import TradingCalendar, segments
from ktrdr.market_data.expected import best_expected
from ktrdr.market_data.intervals import Interval

AROUND = timedelta(days=8)
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Resampled:
    """Complete coarser bars, and how many were left out because a finer bar is missing."""

    bars: pl.DataFrame
    incomplete: int


def resample(bars: pl.DataFrame, source: str, target: str, calendar: TradingCalendar) -> Resampled:
    """Return the bars of timeframe `target` that bars of timeframe `source`, in order of time, make.

    Below a day they begin with each open of trading, also after a break, and the last is cut short by the
    close; a day carries its session's date, a week its Monday, both at 00:00 UTC. A bar is complete if every
    finer bar is there that the calendar expects in it. Bars outside of sessions do not count.
    Raises InputInvalid if `target` is not coarser.
    """
    if TIMEFRAME_SECONDS[target] <= TIMEFRAME_SECONDS[source]:
        raise InputInvalid(f"{target} bars cannot be made of {source} bars", hint="give a longer --timeframe")
    if bars.is_empty():
        return Resampled(empty_bars(), 0)
    placed = _placed(bars, source, target, calendar)
    wanted = _expected(bars["time"], source, target, calendar)
    made = placed.group_by("bucket").agg(*_parts()).join(wanted, on="bucket").sort("bucket")
    whole = made.filter(pl.col("present") == pl.col("expected"))
    return Resampled(
        whole.select(pl.col("bucket").alias("time"), *list(SCHEMA)[1:]), len(wanted) - len(whole)
    )


def _parts() -> list[pl.Expr]:
    is_known = pl.col("volume").is_not_null().all()
    return [
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.when(is_known).then(pl.col("volume").sum()).alias("volume"),
        pl.col("is_expected").sum().alias("present"),
    ]


def _expected(times: pl.Series, source: str, target: str, calendar: TradingCalendar) -> pl.DataFrame:
    """Return how many finer bars each coarser one has, also those at the edges that are not all there."""
    opens = best_expected(_with_edges(times), calendar, source)
    placed = _buckets(pl.DataFrame({"time": opens}), source, target, calendar)
    reached = placed.filter(pl.col("time").is_between(times[0], times[-1]))["bucket"].unique().implode()
    counted = placed.group_by("bucket").agg(expected=pl.len())
    return counted.filter(pl.col("bucket").is_in(reached))


def _with_edges(times: pl.Series) -> pl.Series:
    edges = pl.Series([times[0] - AROUND, times[-1] + AROUND], dtype=times.dtype)
    return pl.concat([edges[:1], times, edges[1:]])


def _placed(bars: pl.DataFrame, source: str, target: str, calendar: TradingCalendar) -> pl.DataFrame:
    expected = best_expected(bars["time"], calendar, source)
    is_expected = pl.col("time").is_in(expected.implode())
    return _buckets(bars, source, target, calendar).with_columns(is_expected=is_expected)


def _buckets(bars: pl.DataFrame, source: str, target: str, calendar: TradingCalendar) -> pl.DataFrame:
    """Return the bars that lie in sessions, with the `bucket` of each: when its coarser bar opens."""
    in_session = _in_sessions(bars, source, calendar)
    if target in {"1d", "1w"}:
        day = pl.col("date").dt.truncate(target).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        return in_session.with_columns(bucket=day)
    length = timedelta(seconds=TIMEFRAME_SECONDS[target])
    passed = (pl.col("time") - pl.col("start")).dt.total_microseconds() // (length // MOMENT)
    steps = passed.clip(lower_bound=0) * (length // MOMENT)
    return in_session.with_columns(bucket=pl.col("start") + pl.duration(microseconds=steps))


def _in_sessions(bars: pl.DataFrame, source: str, calendar: TradingCalendar) -> pl.DataFrame:
    """Return the bars with `date` and `start` of the trading they belong to.

    A bar of the full clock may open before trading does and reach into it.
    """
    if source == "1d":
        return bars.with_columns(date=pl.col("time").dt.date(), start=pl.col("time"))
    around = Interval(bars["time"][0] - AROUND, bars["time"][-1] + AROUND)
    parts = segments(calendar.sessions(around.start.date(), around.end.date()))
    length = timedelta(seconds=TIMEFRAME_SECONDS[source])
    begun = bars.join_asof(parts, left_on="time", right_on="start")
    reached = bars.with_columns(last=pl.col("time") + length - MOMENT).join_asof(
        parts, left_on="last", right_on="start"
    )
    is_within = pl.col("time") < pl.col("end")
    late = reached.filter(is_within & (pl.col("start") > pl.col("time"))).drop("last")
    return pl.concat([begun.filter(is_within), late]).sort("time")
