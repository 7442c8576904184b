"""A provider that answers from a list of closes and counts what it is asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.market_data.bars import SCHEMA
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    """Return midnight of the so many'th day of 2024, from 0."""
    return FIRST + number * DAY


def daily(numbers: range | list[int], close: float = 100.0) -> pl.DataFrame:
    """Return a bar for each of some days; each day's close differs."""
    rows = [
        {
            "time": day(number),
            "open": close + number,
            "high": close + number + 1,
            "low": close + number - 1,
            "close": close + number,
            "volume": float(number),
        }
        for number in numbers
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


class ScriptedProvider(BarProvider):
    """Has daily bars of every symbol; `before_answer` acts before a request is answered."""

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("raw",)

    def __init__(self, bars: pl.DataFrame, longest_days: int = 10, calendar: str | None = None) -> None:
        super().__init__("scripted", ProviderSettings(), "raw")
        self.bars = bars
        self.calendar = calendar
        self.looked_up: list[str] = []
        self.asked: list[Interval] = []
        self.before_answer: Callable[[], None] = lambda: None
        self._longest = longest_days * DAY

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        self.looked_up.append(f"{symbol} {timeframe}")
        first: datetime = self.bars["time"].min()  # type: ignore[assignment]
        return SymbolFacts(first, self.calendar)

    def longest(self, timeframe: str) -> timedelta:
        return self._longest

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        self.asked.append(within)
        self.before_answer()
        inside = pl.col("time").is_between(within.start, within.end, "left")
        return self.bars.filter(inside).sample(fraction=1.0, shuffle=True, seed=7)
