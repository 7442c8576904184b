"""The port behind which bars are fetched."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import polars as pl

from ktrdr.market_data.holes import Holes
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment


@dataclass(frozen=True, slots=True)
class SymbolFacts:
    """What a provider says of a symbol before any bar is fetched.

    The time from which it may have bars, the name of its trading calendar (None: not known), and the origin
    of the finer series its bars are made of (None: they are not made here).
    """

    first: datetime
    calendar: str | None = None
    made_of: str | None = None


class BarProvider(ABC):
    """A source of bars, all of one adjustment.

    `name` is part of what is stored, `adjustments` lists what the source can serve. A bar that is over is
    final after `delay`; one that is not there may still come for as long as `settling`, and nothing new ever
    does from one that `is_closed`.
    Every method that asks a network raises ProviderFailed when the source cannot answer.
    """

    adjustments: ClassVar[tuple[Adjustment, ...]]
    delay: ClassVar[timedelta] = timedelta()
    settling: ClassVar[timedelta] = timedelta()
    is_closed: ClassVar[bool] = False

    def __init__(self, name: str, settings: ProviderSettings, adjustment: Adjustment) -> None:
        self.name = name
        self.adjustment = adjustment
        self._settings = settings

    @classmethod
    def usual_adjustment(cls, timeframe: str) -> Adjustment:  # noqa: ARG003  # most serve all alike
        """Return how bars of a timeframe are adjusted when nobody says how."""
        return cls.adjustments[0]

    @abstractmethod
    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return what is known of a symbol; raises DataInvalid, naming what there is, for an unknown one."""

    @abstractmethod
    def longest(self, timeframe: str) -> timedelta:
        """Return the longest interval that one request may ask for."""

    @abstractmethod
    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars that open within an interval; it may be empty, and is not checked yet."""

    def reach(self, symbol: str, timeframe: str) -> Intervals | None:  # noqa: ARG002  # a network has any
        """Return the moments that the source can speak of; None: it can be asked for any."""
        return None

    def holes(self, symbol: str, timeframe: str) -> Holes | None:  # noqa: ARG002  # a calendar tells
        """Return which of all the bars that it has are missing, where the source itself knows."""
        return None

    def close(self) -> None:  # noqa: B027  # optional: most sources hold nothing open
        """Let go of connections."""
