"""Bars that follow a formula, so that any test can say which there have to be."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 3, 20, 12, tzinfo=UTC)


def bars_at(times: list[datetime]) -> pl.DataFrame:
    """Return a bar for each time; prices are told apart by the day and the hour."""
    rows = [_bar(each) for each in times]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def weekdays(first: datetime, count: int) -> list[datetime]:
    """Return midnight of so many days that are no Saturday and no Sunday."""
    days = (first + timedelta(days=number) for number in range(2 * count))
    return [each for each in days if each.weekday() < 5][:count]


def steady(first: datetime, count: int, timeframe: str) -> list[datetime]:
    """Return so many times that follow each other without a pause."""
    step = timedelta(seconds=TIMEFRAME_SECONDS[timeframe])
    return [first + number * step for number in range(count)]


def _bar(when: datetime) -> tuple[datetime, float, float, float, float, float]:
    number = float((when - datetime(2024, 1, 1, tzinfo=UTC)) // timedelta(minutes=1) % 5000)
    middle = 1000.0 + number / 8
    return when, middle, middle + 2.5, middle - 2.5, middle + 1.25, 100.0 + number


DAYS = bars_at(weekdays(datetime(2024, 1, 2, tzinfo=UTC), 50))
WEEKS = bars_at(steady(datetime(2024, 1, 1, tzinfo=UTC), 10, "1w"))
HOURS = bars_at(steady(datetime(2024, 3, 1, tzinfo=UTC), 300, "1h"))
