"""The bars that come with ktrdr, as a provider."""

from datetime import datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data import sample
from ktrdr.market_data.holes import Holes, no_holes
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.strategies.bar_terms import Adjustment

CALENDAR = "XNYS"  # the four are traded at NASDAQ and NYSE, which keep the same days and hours


class SampleProvider(BarProvider):
    """Daily bars of four stocks."""

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("split_dividend", "split", "raw")
    is_closed: ClassVar[bool] = True

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return the time of the first bar."""
        if timeframe != sample.TIMEFRAME or symbol not in sample.sample_symbols():
            there = ", ".join(f"{each} {sample.TIMEFRAME}" for each in sample.sample_symbols())
            raise DataInvalid(f"`{self.name}` has no bars of {symbol} {timeframe}", hint=f"it has {there}")
        first: datetime = sample.load_sample(symbol)["time"][0]
        return SymbolFacts(first, CALENDAR)

    def longest(self, timeframe: str) -> timedelta:  # noqa: ARG002  # all of them in one
        """Return more than there is."""
        return timedelta(days=100_000)

    def holes(self, symbol: str, timeframe: str) -> Holes:  # noqa: ARG002  # the four are all whole
        """Return that no bar is missing, so that nobody needs a calendar to train on the sample."""
        return no_holes(CALENDAR)

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval."""
        self.look_up(symbol, timeframe)
        bars = sample.load_sample(symbol, self.adjustment)
        return bars.filter(pl.col("time").is_between(within.start, within.end, "left"))
