"""What bars are: one table, one schema, one range rule."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from ktrdr.market_data.intervals import Interval

PRICES = ("open", "high", "low", "close")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "time": pl.Datetime("us", "UTC"),
    **dict.fromkeys(PRICES, pl.Float64),
    "volume": pl.Float64,
}
EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
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


def day_range(start: date | None, end: date | None) -> Interval:
    """Return the moments from `start` to the end of the day `end`, inclusive; None is as far as it goes."""
    return Interval(
        EARLIEST if start is None else midnight(start),
        LATEST if end is None else end_of_day(end),
    )


def midnight(day: date) -> datetime:
    """Return when a day begins, UTC."""
    return datetime.combine(day, time(), UTC)


def end_of_day(day: date) -> datetime:
    """Return when a day ends, UTC."""
    return LATEST if day >= LATEST.date() else midnight(day + timedelta(days=1))


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


def end_of_bar(opened: datetime, timeframe: str) -> datetime:
    """Return when a bar is over, taking every bar to be as long as its timeframe."""
    return opened + timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
