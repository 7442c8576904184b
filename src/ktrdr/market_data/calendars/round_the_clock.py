"""A market that never closes."""

from datetime import date

import polars as pl

from ktrdr.market_data.calendars.base import SESSIONS, TradingCalendar


class RoundTheClock(TradingCalendar):
    """Every UTC day is a session, from midnight to midnight."""

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        """Return a session a day."""
        days = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
        opened = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        no_break = pl.lit(None, dtype=SESSIONS["close"])
        return days.with_columns(
            open=opened, close=opened.dt.offset_by("1d"), break_start=no_break, break_end=no_break
        ).cast(pl.Schema(SESSIONS))
