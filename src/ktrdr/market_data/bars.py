"""What bars are: one table, one schema, one range rule."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

PRICES = ("open", "high", "low", "close")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "time": pl.Datetime("us", "UTC"),
    **dict.fromkeys(PRICES, pl.Float64),
    "volume": pl.Float64,
}
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
TIMEFRAME_SECONDS = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14_400,
    "1d": 86_400,
    "1w": 604_800,
}


def in_range(bars: pl.DataFrame, start: date | None, end: date | None) -> pl.DataFrame:
    """Return the bars from `start` to the end of the day `end`, both inclusive."""
    kept = bars
    if start is not None:
        kept = kept.filter(pl.col("time") >= _midnight(start))
    if end is not None:
        kept = kept.filter(pl.col("time") < _midnight(end + timedelta(days=1)))
    return kept


def last_finished(now: datetime, timeframe: str) -> datetime:
    """Return the moment up to which bars are over: what opens from there on is unfinished.

    Days and weeks (from Monday) are taken to end at midnight UTC.
    """
    length = TIMEFRAME_SECONDS[timeframe]
    seconds = int((now - FIRST_MONDAY).total_seconds())
    return FIRST_MONDAY + timedelta(seconds=seconds // length * length)


def empty_bars() -> pl.DataFrame:
    """Return a table of no bars."""
    return pl.DataFrame(schema=SCHEMA)


def end_of_last(bars: pl.DataFrame, timeframe: str) -> datetime:
    """Return when the last bar is over, taking every bar to be as long as its timeframe."""
    last: datetime = bars["time"][-1]
    return last + timedelta(seconds=TIMEFRAME_SECONDS[timeframe])


def describe_range(bars: pl.DataFrame) -> str:
    """Return `2000-03-01 to 2013-03-01`."""
    first, last = bars["time"][0], bars["time"][-1]
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
