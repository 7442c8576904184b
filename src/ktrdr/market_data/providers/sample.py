"""The bars that come with ktrdr, as a provider."""

from datetime import datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data import sample
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.providers.base import BarProvider


class SampleProvider(BarProvider):
    """Daily bars of four stocks, adjusted for splits and dividends."""

    name: ClassVar[str] = sample.PROVIDER
    adjustment: ClassVar[str] = "split_dividend"
    longest = timedelta(days=100_000)

    def first(self, symbol: str, timeframe: str) -> datetime:
        """Return the time of the first bar."""
        self._check(symbol, timeframe)
        first: datetime = sample.load_sample(symbol)["time"][0]
        return first

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval."""
        self._check(symbol, timeframe)
        return sample.load_sample(symbol).filter(pl.col("time").is_between(within.start, within.end, "left"))

    def _check(self, symbol: str, timeframe: str) -> None:
        if timeframe != sample.TIMEFRAME or symbol not in sample.sample_symbols():
            there = ", ".join(f"{each} {sample.TIMEFRAME}" for each in sample.sample_symbols())
            raise DataInvalid(f"`{self.name}` has no bars of {symbol} {timeframe}", hint=f"it has {there}")
