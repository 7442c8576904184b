"""The port behind which a market says when it trades."""

from abc import ABC, abstractmethod
from datetime import date, timedelta

import polars as pl

SESSIONS: dict[str, pl.DataType | type[pl.DataType]] = {
    "date": pl.Date,
    "open": pl.Datetime("us", "UTC"),
    "close": pl.Datetime("us", "UTC"),
    "break_start": pl.Datetime("us", "UTC"),
    "break_end": pl.Datetime("us", "UTC"),
}


class TradingCalendar(ABC):
    """The sessions of one market; everything else about time is computed from them.

    `name` is what a sidecar keeps, as `XNYS`, `fx` or `24/7`; `has_extended_hours` tells whether bars are
    traded from 4:00 to 20:00 in New York around its sessions; `known_until` is the last date it reaches;
    `zone` is where its clocks are.
    """

    has_extended_hours = False
    zone = "UTC"
    known_until = date.max

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def sessions(self, first: date, last: date) -> pl.DataFrame:
        """Return the sessions of the dates from `first` to `last`, both inclusive, in order, as `SESSIONS`.

        `date` is the session's own date; the market trades in [open, close) less [break_start, break_end),
        which are null where there is no break. Raises DataInvalid for dates the calendar does not reach.
        """

    def around(self, first: date, last: date, margin: timedelta) -> pl.DataFrame:
        """Return the sessions of some dates, and those a margin before and after as far as they are known."""
        spare = max(min(margin, self.known_until - last), timedelta())
        return self.sessions(first - margin, last + spare)


def segments(sessions: pl.DataFrame) -> pl.DataFrame:
    """Return the stretches of uninterrupted trading: `date`, `start`, `end`, in order."""
    has_break = pl.col("break_start").is_not_null()
    until = pl.when(has_break).then("break_start").otherwise("close")
    before = sessions.select("date", start=pl.col("open"), end=until)
    after = sessions.filter(has_break).select("date", start=pl.col("break_end"), end=pl.col("close"))
    return pl.concat([before, after]).filter(pl.col("start") < pl.col("end")).sort("start")
