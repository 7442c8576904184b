"""The week of foreign exchange: from Sunday 17:00 to Friday 17:00 in New York, whose clocks it follows."""

from datetime import date

import polars as pl

from ktrdr.market_data.calendars.base import SESSIONS, TradingCalendar

NEW_YORK = "America/New_York"


class FxWeek(TradingCalendar):
    """Five sessions a week, each from 17:00 in New York of the day before to 17:00 of its own date."""

    zone = NEW_YORK

    def sessions(self, first: date, last: date) -> pl.DataFrame:
        """Return the sessions of Monday to Friday."""
        days = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
        weekdays = days.filter(pl.col("date").dt.weekday() <= 5)
        no_break = pl.lit(None, dtype=SESSIONS["close"])
        return weekdays.with_columns(
            open=_evening(pl.col("date").dt.offset_by("-1d")),
            close=_evening(pl.col("date")),
            break_start=no_break,
            break_end=no_break,
        ).cast(pl.Schema(SESSIONS))


def _evening(day: pl.Expr) -> pl.Expr:
    """Return when it is 17:00 in New York, where clocks change at night and that is never in doubt."""
    local = day.cast(pl.Datetime("us")).dt.offset_by("17h").dt.replace_time_zone(NEW_YORK)
    return local.dt.convert_time_zone("UTC")
