"""The week of foreign exchange: from Sunday 22:00 to Friday 22:00 UTC."""

from datetime import date

import polars as pl

from ktrdr.market_data.calendars.base import SESSIONS, TradingCalendar


class FxWeek(TradingCalendar):
    """Five sessions a week, each from 22:00 UTC of the day before to 22:00 of its own date."""

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        """Return the sessions of Monday to Friday."""
        days = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
        weekdays = days.filter(pl.col("date").dt.weekday() <= 5)
        close = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").dt.offset_by("22h")
        no_break = pl.lit(None, dtype=SESSIONS["close"])
        return weekdays.with_columns(
            open=close.dt.offset_by("-1d"), close=close, break_start=no_break, break_end=no_break
        ).cast(pl.Schema(SESSIONS))
