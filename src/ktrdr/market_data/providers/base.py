"""The port behind which bars are fetched."""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.market_data.intervals import Interval


class BarProvider(ABC):
    """A source of bars, all of one adjustment; one request is for at most `longest`."""

    name: ClassVar[str]
    adjustment: ClassVar[str]
    longest: timedelta

    @abstractmethod
    def first(self, symbol: str, timeframe: str) -> datetime:
        """Return the time of the first bar; raises DataInvalid, naming what there is, without any."""

    @abstractmethod
    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars that open within an interval; it may be empty, and is not checked yet."""
